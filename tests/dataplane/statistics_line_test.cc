#include "dataplane/observe/statistics_line.h"

#include <gtest/gtest.h>

namespace gocomet::dataplane {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(StatisticsLine, TellsAllThatWasCounted) {
  Histogram histogram;
  for (int i = 0; i < 10; ++i) histogram.Record(microseconds(16));
  BalancerStatistics statistics{
      .connections = 3, .requests = 12, .own_answers = {{400, 1}, {503, 1}}};
  histogram.AddTo(statistics.latencies.own);
  statistics.access_log = {.written = 11, .dropped = 1};
  constexpr char kNone[] = R"({"count":0,"mean":0.0,"p50":0.0,"p90":0.0,"p99":0.0,"p99.9":0.0})";
  EXPECT_EQ(StatisticsLine(statistics, seconds(1)),
            std::string(R"({"time":"1970-01-01T00:00:01.000000Z","connections":3,"requests":12,)"
                        R"("own_answers":{"400":1,"503":1},"latency_us":{"total":)") +
                kNone + R"(,"worker":)" + kNone +
                R"(,"own":{"count":10,"mean":16.0,"p50":16.1,"p90":16.1,"p99":16.1,"p99.9":16.1}},)"
                R"("access_log":{"written":11,"dropped":1}})"
                "\n");
}

TEST(StatisticsLine, SaysNothingOfALogThatIsNotKept) {
  EXPECT_EQ(StatisticsLine({}, seconds(1)).find("access_log"), std::string::npos);
}

}  // namespace
}  // namespace gocomet::dataplane
