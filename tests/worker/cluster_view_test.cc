#include "worker/cluster_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gocomet::worker {
namespace {

using ::testing::ElementsAre;

constexpr SteadyTime kStart{};
const RequestCounts kNone;

RequestCounts Counts(uint64_t successful, uint64_t failed, uint64_t microseconds) {
  return {.successful = successful, .failed = failed, .duration_microseconds = microseconds};
}

TEST(ClusterView, KnowsOnlyItselfAtFirst) {
  const ClusterView view("me");
  EXPECT_THAT(view.RowsWith(Counts(3, 1, 40)), ElementsAre(WorkerRow{"me", Counts(3, 1, 40)}));
  EXPECT_EQ(view.Age(kStart), std::nullopt);
}

TEST(ClusterView, ItsOwnRowIsAlwaysTheNewest) {
  ClusterView view("me");
  view.Update({{"first", Counts(9, 9, 9)}, {"me", Counts(2, 0, 20)}, {"last", Counts(1, 0, 5)}},
              Counts(2, 0, 20), kStart);
  EXPECT_THAT(view.RowsWith(Counts(5, 1, 70)),
              ElementsAre(WorkerRow{"first", Counts(9, 9, 9)}, WorkerRow{"me", Counts(5, 1, 70)},
                          WorkerRow{"last", Counts(1, 0, 5)}));
}

TEST(ClusterView, ComesLastWhereTheControlPlaneDoesNotListItYet) {
  ClusterView view("me");
  view.Update({{"other", Counts(1, 1, 10)}}, kNone, kStart);
  EXPECT_THAT(view.RowsWith(kNone),
              ElementsAre(WorkerRow{"other", Counts(1, 1, 10)}, WorkerRow{"me", kNone}));
}

TEST(ClusterView, KeepsWhatEarlierIncarnationsCounted) {
  ClusterView view("me");
  view.Update({{"me", Counts(100, 10, 1000)}}, kNone, kStart);
  EXPECT_THAT(view.RowsWith(Counts(1, 0, 7)), ElementsAre(WorkerRow{"me", Counts(101, 10, 1007)}));
}

TEST(ClusterView, CountsNothingTwiceWhenAnAnswerIsBehindItsReports) {
  ClusterView view("me");
  // 100 of an earlier incarnation; of this one 5 were sent and only the first 2 are in the answer.
  view.Update({{"me", Counts(102, 0, 0)}}, Counts(5, 0, 0), kStart);
  view.Update({{"me", Counts(105, 0, 0)}}, Counts(5, 0, 0), kStart);
  view.Update({{"me", Counts(105, 0, 0)}}, Counts(8, 0, 0), kStart);
  EXPECT_THAT(view.RowsWith(Counts(9, 0, 0)), ElementsAre(WorkerRow{"me", Counts(109, 0, 0)}));
}

TEST(ClusterView, SaysHowOldTheNumbersAre) {
  ClusterView view("me");
  view.Update({}, kNone, kStart);
  EXPECT_EQ(view.Age(kStart), SteadyTime::duration::zero());
  EXPECT_EQ(view.Age(kStart + std::chrono::seconds(3)), std::chrono::seconds(3));
}

}  // namespace
}  // namespace gocomet::worker
