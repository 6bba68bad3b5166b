#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "common/base/text.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/system.h"

namespace gocomet::testing {

inline constexpr char kHello[] = "/api/v1/hello";
inline constexpr char kStats[] = "/worker/stats";

// A test that runs once with each runtime, and is skipped for Docker where no engine answers.
// Instantiate with GOCOMET_ON_EACH_RUNTIME(Fixture).
class OnEachRuntime : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string why = WhyNot(GetParam());
    if (!why.empty()) GTEST_SKIP() << why;
  }

  // All events, oldest first, for failures that explain themselves.
  static std::string Events(const System& system) {
    std::string text;
    for (const v1::Event& event : system.Events())
      text = Cat(event.subject(), " ", event.kind(), ": ", event.message(), "\n", text);
    return text;
  }

  // The sum over the table that the ancestor's readers know.
  static int64_t TotalInTable(const std::string& database) {
    sqlite3* db = nullptr;
    sqlite3_open_v2(database.c_str(), &db, SQLITE_OPEN_READONLY, nullptr);
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db, "SELECT COALESCE(SUM(total_requests), 0) FROM worker_stats", -1,
                       &statement, nullptr);
    const int64_t total =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return total;
  }

  // In the statistics, in /worker/stats and in the table: each must say `total` in time.
  static void ExpectTotal(const System& system, uint64_t total,
                          std::chrono::seconds patience = std::chrono::seconds(10)) {
    const std::string in_json = Cat("\"TotalRequests\":[{\"total\":", total, "}");
    std::string last;
    const bool agreed = WaitUntil(
        [&] {
          const auto statistics = system.Statistics();
          const auto page = HttpGet(system.balancer_ports().front(), kStats);
          const int64_t in_table = TotalInTable(system.database());
          const uint64_t in_grpc =
              statistics ? statistics->total().successful() + statistics->total().failed() : 0;
          last = Cat("gRPC ", in_grpc, ", table ", in_table, ", page ",
                     page.ok() ? page->body : "none");
          return in_grpc == total && in_table == static_cast<int64_t>(total) && page.ok() &&
                 page->body.find(in_json) != std::string::npos;
        },
        patience);
    EXPECT_TRUE(agreed) << "expected " << total << " everywhere; " << last;
  }
};

#define GOCOMET_ON_EACH_RUNTIME(fixture)                                               \
  INSTANTIATE_TEST_SUITE_P(OnRuntime, fixture, ::testing::Values("process", "docker"), \
                           [](const auto& runtime) { return std::string(runtime.param); })

}  // namespace gocomet::testing
