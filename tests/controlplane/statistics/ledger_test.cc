#include "controlplane/statistics/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gocomet::controlplane {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Refusal = Ledger::Refusal;

WorkerTotals Report(const std::string& worker, uint64_t incarnation, uint64_t sequence,
                    RequestCounters counters, const std::string& service = "worker") {
  return {worker,
          incarnation,
          worker + "-name",
          service,
          sequence,
          counters,
          WallTime(std::chrono::seconds(sequence))};
}

BalancedTotals Seen(const std::string& balancer, uint64_t balancer_incarnation,
                    const std::string& worker, uint64_t answered) {
  BalancedTotals totals{balancer, balancer_incarnation, worker, 1};
  totals.answered = answered;
  totals.by_status_class[1] = answered;
  totals.retried = 1;
  return totals;
}

std::vector<std::string> Ids(const std::vector<Ledger::WorkerRow>& rows) {
  std::vector<std::string> ids;
  ids.reserve(rows.size());
  for (const Ledger::WorkerRow& row : rows) ids.push_back(row.worker_id);
  return ids;
}

TEST(Ledger, AddsTheIncarnationsOfAWorkerUp) {
  Ledger ledger;
  EXPECT_TRUE(ledger.ApplyReport(Report("a", 1, 1, {10, 1, 1000})));
  EXPECT_TRUE(ledger.ApplyReport(Report("a", 2, 1, {5, 0, 200})));
  EXPECT_TRUE(ledger.ApplyReport(Report("a", 2, 2, {6, 0, 300})));
  ASSERT_THAT(ledger.Rows(), SizeIs(1));
  EXPECT_EQ(ledger.Rows()[0].counters, (RequestCounters{16, 1, 1300}));
  EXPECT_EQ(ledger.Rows()[0].worker_name, "a-name");
  EXPECT_EQ(ledger.Rows()[0].report_time, WallTime(std::chrono::seconds(2)));
  EXPECT_EQ(ledger.Total(), (RequestCounters{16, 1, 1300}));
}

TEST(Ledger, ARepeatedOrOvertakenReportChangesNothing) {
  Ledger ledger;
  ledger.ApplyReport(Report("a", 1, 5, {10, 0, 100}));
  EXPECT_EQ(ledger.ApplyReport(Report("a", 1, 5, {10, 0, 100})).refusal, Refusal::kNotNewer);
  EXPECT_EQ(ledger.ApplyReport(Report("a", 1, 4, {9, 0, 90})).refusal, Refusal::kNotNewer);
  EXPECT_EQ(ledger.Total(), (RequestCounters{10, 0, 100}));
}

TEST(Ledger, CountersThatGoBackwardsChangeNothing) {
  Ledger ledger;
  ledger.ApplyReport(Report("a", 1, 1, {10, 10, 100}));
  EXPECT_EQ(ledger.ApplyReport(Report("a", 1, 2, {9, 20, 200})).refusal, Refusal::kBackwards);
  EXPECT_EQ(ledger.ApplyReport(Report("a", 1, 3, {20, 9, 200})).refusal, Refusal::kBackwards);
  EXPECT_EQ(ledger.ApplyReport(Report("a", 1, 4, {20, 20, 99})).refusal, Refusal::kBackwards);
  EXPECT_EQ(ledger.Total(), (RequestCounters{10, 10, 100}));
  EXPECT_TRUE(ledger.ApplyReport(Report("a", 1, 2, {11, 10, 100})))
      << "a refused report must not use its sequence up";
}

TEST(Ledger, RefusesWhatNoHonestWorkerCounts) {
  Ledger ledger;
  EXPECT_EQ(ledger.ApplyReport(Report("a", 1, 1, {Ledger::kCounterMax + 1, 0, 0})).refusal,
            Refusal::kImplausible);
  EXPECT_EQ(ledger.ApplyReport(Report("", 1, 1, {1, 0, 0})).refusal, Refusal::kImplausible);
  EXPECT_EQ(ledger.ApplyBalanced(Seen("b", 1, "", 1)).refusal, Refusal::kImplausible);
  EXPECT_THAT(ledger.Rows(), IsEmpty()) << "a refused report leaves no trace";
  EXPECT_TRUE(ledger.ApplyReport(Report("a", 1, 1, {Ledger::kCounterMax, 0, 0})));
}

TEST(Ledger, AReportWithoutANameKeepsTheKnownOne) {
  Ledger ledger;
  ledger.ApplyReport(Report("a", 1, 1, {1, 0, 0}));
  WorkerTotals nameless = Report("a", 1, 2, {2, 0, 0}, "");
  nameless.worker_name.clear();
  EXPECT_TRUE(ledger.ApplyReport(nameless));
  EXPECT_EQ(ledger.Rows()[0].worker_name, "a-name");
  EXPECT_EQ(ledger.Rows()[0].service, "worker");
}

TEST(Ledger, RowsComeInTheOrderOfFirstReports) {
  Ledger ledger;
  ledger.ApplyBalanced(Seen("balancer-0", 1, "only-seen", 1));
  ledger.ApplyBalanced(Seen("balancer-0", 1, "b", 1));
  ledger.ApplyReport(Report("c", 1, 1, {}));
  ledger.ApplyReport(Report("b", 1, 1, {}));
  ledger.ApplyReport(Report("a", 1, 1, {}));
  ledger.ApplyReport(Report("c", 2, 1, {}));
  EXPECT_THAT(Ids(ledger.Rows()), ElementsAre("c", "b", "a", "only-seen"));
}

TEST(Ledger, AddsUpWhatAllBalancersSaw) {
  Ledger ledger;
  EXPECT_TRUE(ledger.ApplyBalanced(Seen("balancer-0", 1, "a", 5)));
  EXPECT_TRUE(ledger.ApplyBalanced(Seen("balancer-0", 2, "a", 7)));
  EXPECT_TRUE(ledger.ApplyBalanced(Seen("balancer-1", 1, "a", 9)));
  EXPECT_TRUE(ledger.ApplyBalanced(Seen("balancer-1", 1, "a", 10)));
  EXPECT_EQ(ledger.ApplyBalanced(Seen("balancer-1", 1, "a", 10)).refusal, Refusal::kNotNewer);
  EXPECT_EQ(ledger.ApplyBalanced(Seen("balancer-1", 1, "a", 9)).refusal, Refusal::kBackwards);
  const Ledger::WorkerRow row = ledger.Rows().at(0);
  EXPECT_EQ(row.balanced.answered, 22);
  EXPECT_THAT(row.balanced.by_status_class, ElementsAre(0, 22, 0, 0, 0));
  EXPECT_EQ(row.balanced.retried, 3);
}

TEST(Ledger, SaysWhatAReportOfABalancerAdds) {
  Ledger ledger;
  EXPECT_EQ(ledger.ApplyBalanced(Seen("balancer-0", 1, "a", 10)).added.answered, 10U);
  const Ledger::Applied more = ledger.ApplyBalanced(Seen("balancer-0", 1, "a", 13));
  EXPECT_EQ(more.added.answered, 3U);
  EXPECT_EQ(more.added.retried, 0U);
  EXPECT_EQ(ledger.ApplyBalanced(Seen("balancer-0", 1, "a", 13)).added.answered, 0U);
}

TEST(Ledger, AnswersForOneService) {
  Ledger ledger;
  ledger.ApplyReport(Report("a", 1, 1, {1, 0, 0}, "one"));
  ledger.ApplyReport(Report("b", 1, 1, {2, 0, 0}, "two"));
  EXPECT_THAT(Ids(ledger.Rows({.service = "two"})), ElementsAre("b"));
  EXPECT_EQ(ledger.Total("two").successful, 2);
  EXPECT_EQ(ledger.Total("none").total(), 0);
  EXPECT_EQ(ledger.Total().successful, 3);
}

TEST(Ledger, MarksOrLeavesOutRetiredWorkersAndTotalsKeepThem) {
  Ledger ledger;
  ledger.ApplyReport(Report("gone", 1, 1, {1, 0, 0}));
  ledger.ApplyReport(Report("here", 1, 1, {2, 0, 0}));
  const auto is_retired = [](const std::string& id) { return id == "gone"; };
  const auto rows = ledger.Rows({.is_retired = is_retired});
  ASSERT_THAT(Ids(rows), ElementsAre("gone", "here"));
  EXPECT_TRUE(rows[0].retired);
  EXPECT_FALSE(rows[1].retired);
  EXPECT_THAT(Ids(ledger.Rows({.is_retired = is_retired, .include_retired = false})),
              ElementsAre("here"));
  EXPECT_EQ(ledger.Total().successful, 3);
}

TEST(Ledger, TheAverageIsATrueMeanInMilliseconds) {
  EXPECT_EQ(Ledger::AverageMilliseconds({}), 0);
  EXPECT_DOUBLE_EQ(Ledger::AverageMilliseconds({3, 1, 10'000}), 2.5);
  Ledger ledger;
  ledger.ApplyReport(Report("slow", 1, 1, {1, 0, 9'000'000}));
  ledger.ApplyReport(Report("fast", 1, 1, {8, 1, 0}));
  EXPECT_DOUBLE_EQ(ledger.Rows()[0].average_response_time_ms(), 9000);
  EXPECT_DOUBLE_EQ(Ledger::AverageMilliseconds(ledger.Total()), 900)
      << "the mean over requests, not over workers";
}

TEST(Ledger, StartsWithWhatAStoreKept) {
  Ledger ledger({Report("a", 0, 0, {100, 0, 5}), Report("a", 9, 4, {1, 1, 1})},
                {Seen("balancer-0", 3, "a", 50)});
  EXPECT_EQ(ledger.Total(), (RequestCounters{101, 1, 6}));
  EXPECT_EQ(ledger.Rows()[0].balanced.answered, 50);
  EXPECT_FALSE(ledger.ApplyReport(Report("a", 9, 4, {1, 1, 1})));
  EXPECT_TRUE(ledger.ApplyReport(Report("a", 9, 5, {2, 1, 1})));
}

}  // namespace
}  // namespace gocomet::controlplane
