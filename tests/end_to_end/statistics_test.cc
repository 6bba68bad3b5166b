// The cluster's numbers, as seen from each place that shows them, once per runtime.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Numbers : public OnEachRuntime {
 protected:
  // The count of `who`, a worker's id or `total`, in one of the four arrays.
  static double Of(const nlohmann::json& page, const std::string& array, const std::string& who) {
    for (const auto& entry : page.at(array)) {
      if (entry.contains(who)) return entry.at(who).get<double>();
    }
    return -1;
  }

  static nlohmann::json Page(uint16_t port, std::string* age = nullptr) {
    const auto answer = HttpGet(port, kStats);
    if (!answer.ok()) return nullptr;
    const auto header = answer->headers.find("x-gocomet-stats-age-ms");
    if (age != nullptr && header != answer->headers.end()) *age = header->second;
    return nlohmann::json::parse(answer->body, nullptr, false);
  }

  // An earlier program's file: a plain table with a row per worker.
  static void WriteAncestor(const std::string& path) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    sqlite3_exec(db,
                 "CREATE TABLE worker_stats (worker_id TEXT, timestamp DATETIME, "
                 "successful_requests INTEGER, failed_requests INTEGER, total_requests INTEGER, "
                 "average_response_time REAL);"
                 "INSERT INTO worker_stats VALUES "
                 "('0123456789ab', '2024-03-01 12:00:00', 70, 30, 100, 250.5),"
                 "('ba9876543210', '2024-03-01 12:00:01', 20, 0, 20, 100.0);",
                 nullptr, nullptr, &error);
    EXPECT_EQ(error, nullptr) << error;
    sqlite3_close(db);
  }
};

TEST_P(Numbers, EachWorkersPercentilesAreOfAllThatBalancersSawItAnswer) {
  System system(GetParam());
  system.keys["avg-delay"] = "20";
  system.keys["failure"] = "0";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_TRUE(HttpBurst(system.balancer_ports(), kHello, 60, seconds(20)).ok());
  v1::Statistics seen;
  EXPECT_TRUE(WaitUntil([&] {
    const auto statistics = system.Statistics();
    if (statistics) seen = *statistics;
    return seen.durations().count() == 60;
  })) << seen.DebugString();
  for (const v1::WorkerStatistics& worker : seen.workers()) {
    EXPECT_EQ(worker.durations().count(), worker.balanced().answered());
    EXPECT_GE(worker.durations().p50_ms(), 9.9) << "the worker waits for 10 to 30 ms";
    EXPECT_GE(worker.durations().p99_ms(), worker.durations().p50_ms());
  }
}

TEST_P(Numbers, EachWorkerAndEachBalancerShowsTheWholeClusterAndHowOldTheNumbersAre) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_TRUE(HttpBurst(system.balancer_ports(), kHello, 30, seconds(20)).ok());
  ExpectTotal(system, 30);
  const auto workers = system.Workers();
  ASSERT_THAT(workers, SizeIs(3));
  std::vector<uint16_t> ports = system.balancer_ports();
  for (const v1::Worker& w : workers) ports.push_back(static_cast<uint16_t>(w.spec().port()));

  for (const uint16_t port : ports) {
    std::string age;
    const nlohmann::json page = Page(port, &age);
    ASSERT_TRUE(page.is_object()) << port;
    EXPECT_EQ(page.size(), 4U) << "four arrays and nothing else: " << page;
    EXPECT_EQ(Of(page, "TotalRequests", "total"), 30) << page;
    EXPECT_EQ(Of(page, "SuccessfulRequests", "total"), 30) << page;
    EXPECT_EQ(Of(page, "FailedRequests", "total"), 0) << page;
    for (const v1::Worker& worker : workers) {
      EXPECT_EQ(Of(page, "TotalRequests", worker.id()), 10) << worker.id() << " in " << page;
      EXPECT_GE(Of(page, "AverageResponseTime", worker.id()), 10) << page;
    }
    EXPECT_FALSE(age.empty());
    EXPECT_EQ(age.find_first_not_of("0123456789"), std::string::npos) << age;
  }
}

TEST_P(Numbers, AWorkerShowsItsOwnNewestAtOnce) {
  System system(GetParam());
  system.keys["avg-delay"] = "0";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto workers = system.Workers();
  ASSERT_THAT(workers, SizeIs(3));
  const auto port = static_cast<uint16_t>(workers[2].spec().port());
  HttpConnection connection(port);
  for (int asked = 1; asked <= 20; ++asked) {
    const auto answer = connection.Get(kHello);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_THAT(answer->body, HasSubstr(workers[2].id()));
    const nlohmann::json page = Page(port);
    ASSERT_TRUE(page.is_object());
    EXPECT_EQ(Of(page, "TotalRequests", workers[2].id()), asked) << page;
  }
  ExpectTotal(system, 20);
}

TEST_P(Numbers, AnEarlierProgramsDatabaseIsTakenOverAndCountedOn) {
  System system(GetParam());
  WriteAncestor(system.database());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  EXPECT_THAT(system.output(), HasSubstr("took over the numbers of 2 workers"));
  ExpectTotal(system, 120);

  ASSERT_TRUE(HttpBurst(system.balancer_ports(), kHello, 30, seconds(20)).ok());
  ExpectTotal(system, 150);
  const nlohmann::json page = Page(system.balancer_ports().front());
  ASSERT_TRUE(page.is_object());
  EXPECT_EQ(Of(page, "TotalRequests", "0123456789ab"), 100) << page;
  EXPECT_EQ(Of(page, "FailedRequests", "0123456789ab"), 30) << page;
  EXPECT_EQ(Of(page, "AverageResponseTime", "0123456789ab"), 250.5) << page;
  EXPECT_EQ(Of(page, "TotalRequests", "ba9876543210"), 20) << page;
}

GOCOMET_ON_EACH_RUNTIME(Numbers);

}  // namespace
}  // namespace gocomet::testing
