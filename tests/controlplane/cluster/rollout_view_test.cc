#include "controlplane/cluster/rollout_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/cluster/transitions.h"
#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ViewRollout, CountsNewWorkersOnceTheyHaveBeenReadyForLongEnough) {
  ServiceDesire desire = WantedService(3);
  desire.spec.rollout.min_ready = seconds(5);
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0),
                                       WorkerIn(WorkerState::kStarting, 1),
                                       WorkerIn(WorkerState::kReady, 2, "old")};
  const RolloutView early = ViewRollout(desire, workers, kStart + seconds(4));
  EXPECT_EQ(early.available, 0U);
  const RolloutView view = ViewRollout(desire, workers, kStart + seconds(5));
  EXPECT_EQ(view.wanted, 3U);
  EXPECT_EQ(view.updated, 2U);
  EXPECT_EQ(view.available, 1U);
  EXPECT_EQ(view.outdated, 1U);
  EXPECT_EQ(view.serving, 2U);
}

TEST(ViewRollout, AnOldWorkerCountsUntilNothingOfItIsLeft) {
  Worker draining = WorkerIn(WorkerState::kDraining, 0, "old");
  draining.stop_wanted = true;
  Worker gone = WorkerIn(WorkerState::kBackOff, 1, "old");
  gone.handle.clear();
  EXPECT_EQ(ViewRollout(WantedService(1), std::vector{draining, gone}, kStart).outdated, 1U);
}

TEST(ViewRollout, AHeldWorkerHoldsUpNothing) {
  Worker held = WorkerIn(WorkerState::kDraining, 0);
  held.held = true;
  EXPECT_EQ(ViewRollout(WantedService(1), std::vector{held}, kStart).available, 1U);
}

TEST(ViewRollout, OneThatIsAdoptedServesUntilItsFirstProbeSaysOtherwise) {
  Worker adopted = WorkerIn(WorkerState::kStarting, 0);
  adopted.adopted = true;
  EXPECT_EQ(ViewRollout(WantedService(1), std::vector{adopted}, kStart).serving, 1U);
  ObserveProbe(adopted, Probe{.passed = false}, HealthCheck{}, {kStart, {}});
  EXPECT_EQ(ViewRollout(WantedService(1), std::vector{adopted}, kStart).serving, 0U);
}

TEST(DiagnoseRollout, NamesTheNewestFailureOfANewWorker) {
  Worker failed = WorkerIn(WorkerState::kBackOff, 1);
  failed.failure = Failure{.time = WallTime(seconds(1)), .cause = "exit 127: not found"};
  Worker old = WorkerIn(WorkerState::kBackOff, 0, "old");
  old.failure = Failure{.time = WallTime(seconds(2)), .cause = "an old story"};
  EXPECT_EQ(DiagnoseRollout(WantedService(1), std::vector{old, failed}),
            "worker-1: exit 127: not found");
}

TEST(DiagnoseRollout, SaysWhatANewWorkerWaitsFor) {
  Worker waits = WorkerIn(WorkerState::kStarting, 1);
  waits.last_probe = Probe{.target = "GET 127.0.0.1:6001/healthz", .result = "connection refused"};
  EXPECT_THAT(DiagnoseRollout(WantedService(1), std::vector{waits}),
              HasSubstr("worker-1 is Starting; last probe, GET 127.0.0.1:6001/healthz: connection "
                        "refused"));
}

TEST(OutdatedHashes, AreThoseOfOldWorkersThatStay) {
  Worker leaving = WorkerIn(WorkerState::kDraining, 1, "older");
  leaving.stop_wanted = true;
  EXPECT_THAT(
      OutdatedHashes(WantedService(1), std::vector{WorkerIn(WorkerState::kReady, 0, "old"), leaving,
                                                   WorkerIn(WorkerState::kReady, 2)}),
      ElementsAre("old"));
}

}  // namespace
}  // namespace gocomet::controlplane
