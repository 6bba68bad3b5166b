#include "worker/stats_json.h"

#include <vector>

#include <gtest/gtest.h>

namespace gocomet::worker {
namespace {

std::vector<WorkerRow> Rows(std::vector<WorkerRow> rows) { return rows; }

TEST(StatsJson, HasFourArraysWithTheTotalFirstAndTheWorkersInOrder) {
  const auto rows =
      Rows({{"ffff", {.successful = 3, .failed = 1, .duration_microseconds = 2'001'000}},
            {"aaaa", {.successful = 5, .failed = 1, .duration_microseconds = 3'000}}});
  EXPECT_EQ(StatsJson(rows),
            R"({"SuccessfulRequests":[{"total":8},{"ffff":3},{"aaaa":5}],)"
            R"("FailedRequests":[{"total":2},{"ffff":1},{"aaaa":1}],)"
            R"("TotalRequests":[{"total":10},{"ffff":4},{"aaaa":6}],)"
            R"("AverageResponseTime":[{"total":200.4},{"ffff":500.25},{"aaaa":0.5}]})");
}

TEST(StatsJson, IsAllZeroesBeforeTheFirstRequest) {
  EXPECT_EQ(StatsJson(Rows({{"aaaa", {}}})), R"({"SuccessfulRequests":[{"total":0},{"aaaa":0}],)"
                                             R"("FailedRequests":[{"total":0},{"aaaa":0}],)"
                                             R"("TotalRequests":[{"total":0},{"aaaa":0}],)"
                                             R"("AverageResponseTime":[{"total":0},{"aaaa":0}]})");
}

TEST(StatsJson, AveragesAreRoundedToTheNearestMicrosecond) {
  const auto average = [](uint64_t requests, uint64_t microseconds) {
    const std::string json =
        StatsJson(Rows({{"a", {.successful = requests, .duration_microseconds = microseconds}}}));
    const std::string key = R"({"a":)";
    const size_t begin = json.rfind(key) + key.size();
    return json.substr(begin, json.find('}', begin) - begin);
  };
  EXPECT_EQ(average(1, 12'000), "12");
  EXPECT_EQ(average(3, 1'000), "0.333");
  EXPECT_EQ(average(3, 2'000), "0.667");
  EXPECT_EQ(average(2, 1), "0.001");
  EXPECT_EQ(average(1'000'000, 499'999'999'500), "500");
  EXPECT_EQ(average(1, 123'456'789), "123456.789");
}

TEST(StatsJson, LargeCountsStayExact) {
  const uint64_t many = (1ULL << 63) + 1;
  EXPECT_NE(StatsJson(Rows({{"a", {.successful = many}}})).find("9223372036854775809"),
            std::string::npos);
}

TEST(StatsJson, AnIdThatNeedsItIsEscaped) {
  EXPECT_NE(StatsJson(Rows({{"a\"b\xff", {}}})).find("{\"a\\\"b\xef\xbf\xbd\":0}"),
            std::string::npos);
}

}  // namespace
}  // namespace gocomet::worker
