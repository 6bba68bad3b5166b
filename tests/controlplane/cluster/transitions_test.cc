#include "controlplane/cluster/transitions.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

Now At(seconds since_start) { return {kStart + since_start, WallTime(since_start)}; }

Probe Passed() { return {.passed = true, .result = "200"}; }
Probe Failed() { return {.passed = false, .result = "no answer within 2000 ms"}; }

Failure KilledBySignal() { return {.cause = "killed", .signal = SIGKILL}; }

TEST(ObserveProbe, AStartingWorkerIsReadyAtItsFirstAnswer) {
  Worker worker = WorkerIn(WorkerState::kStarting, 0);
  EXPECT_FALSE(ObserveProbe(worker, Failed(), HealthCheck{}, At(seconds(1))));
  EXPECT_TRUE(ObserveProbe(worker, Passed(), HealthCheck{}, At(seconds(2))));
  EXPECT_EQ(worker.state, WorkerState::kReady);
  EXPECT_EQ(worker.ready_since, kStart + seconds(2));
}

TEST(ObserveProbe, AReadyWorkerIsUnhealthyAfterFailuresInARowOnly) {
  Worker worker = WorkerIn(WorkerState::kReady, 0);
  EXPECT_FALSE(ObserveProbe(worker, Failed(), HealthCheck{}, At(seconds(1))));
  EXPECT_FALSE(ObserveProbe(worker, Passed(), HealthCheck{}, At(seconds(2))));
  EXPECT_FALSE(ObserveProbe(worker, Failed(), HealthCheck{}, At(seconds(3))));
  EXPECT_TRUE(ObserveProbe(worker, Failed(), HealthCheck{}, At(seconds(4))));
  EXPECT_EQ(worker.state, WorkerState::kUnhealthy);
  EXPECT_THAT(worker.reason, HasSubstr("no answer within 2000 ms"));
  EXPECT_TRUE(ObserveProbe(worker, Passed(), HealthCheck{}, At(seconds(5))));
  EXPECT_EQ(worker.state, WorkerState::kReady);
}

TEST(ObserveProbe, ADrainingWorkerStaysDraining) {
  Worker worker = DrainingWorker(0, 1);
  EXPECT_FALSE(ObserveProbe(worker, Passed(), HealthCheck{}, At(seconds(1))));
  EXPECT_EQ(worker.state, WorkerState::kDraining);
}

TEST(ObserveExit, ADrainingWorkerHasStopped) {
  Worker worker = DrainingWorker(0, 1);
  EXPECT_TRUE(ObserveExit(worker, KilledBySignal(), At(seconds(1))));
  EXPECT_EQ(worker.state, WorkerState::kStopped);
  EXPECT_EQ(worker.crashes, 0U);
}

TEST(ObserveExit, CrashesInARowWaitLongerEachTime) {
  Worker worker = WorkerIn(WorkerState::kStarting, 0);
  for (const int expected : {1, 2, 4, 8, 16, 32, 60, 60}) {
    worker.state = WorkerState::kStarting;
    worker.ready_since.reset();
    EXPECT_TRUE(ObserveExit(worker, KilledBySignal(), At(seconds(0))));
    EXPECT_EQ(worker.next_start, kStart + seconds(expected));
  }
}

TEST(ObserveExit, LongHealthForgivesEarlierCrashes) {
  Worker worker = WorkerIn(WorkerState::kReady, 0);
  worker.crashes = 5;
  ObserveExit(worker, KilledBySignal(), At(seconds(60)));
  EXPECT_EQ(worker.crashes, 1U);
  EXPECT_EQ(worker.next_start, kStart + seconds(61));
}

TEST(ObserveExit, SeenTwiceIsOneCrash) {
  Worker worker = WorkerIn(WorkerState::kReady, 0);
  EXPECT_TRUE(ObserveExit(worker, KilledBySignal(), At(seconds(1))));
  EXPECT_FALSE(ObserveExit(worker, KilledBySignal(), At(seconds(2))));
  EXPECT_EQ(worker.crashes, 1U);
}

TEST(ObserveExit, AHeldWorkerThatDiesIsNoLongerHeld) {
  Worker worker = WorkerIn(WorkerState::kDraining, 0);
  worker.held = true;
  EXPECT_TRUE(ObserveExit(worker, KilledBySignal(), At(seconds(1))));
  EXPECT_EQ(worker.state, WorkerState::kBackOff);
  EXPECT_FALSE(worker.held);
}

TEST(LikelyCause, SaysWhatAPersonCanActOn) {
  EXPECT_THAT(LikelyCause({.signal = SIGKILL, .out_of_memory = true}), HasSubstr("memory limit"));
  EXPECT_THAT(LikelyCause({.exit_code = 127}), HasSubstr("was not found"));
  EXPECT_THAT(LikelyCause({.exit_code = -1}), HasSubstr("gone"));
  EXPECT_THAT(LikelyCause({.exit_code = 3, .last_log_lines = {"a", "cannot bind"}}),
              HasSubstr("exit 3, last words: cannot bind"));
}

}  // namespace
}  // namespace gocomet::controlplane
