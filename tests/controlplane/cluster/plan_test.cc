#include "controlplane/cluster/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> PlanLines(const Desired& desired, const std::vector<Worker>& workers,
                                   const std::vector<Balancer>& balancers = {},
                                   SteadyTime now = kStart) {
  return Lines(MakePlan(desired, workers, balancers, now));
}

TEST(MakePlan, StartsWhatIsMissingOnTheLowestFreePorts) {
  EXPECT_THAT(PlanLines(Wanted(3), {WorkerIn(WorkerState::kReady, 1)}),
              ElementsAre("start worker-0 on port 6000", "start worker-2 on port 6002"));
}

TEST(MakePlan, DoesNothingWhenAllIsAsWanted) {
  EXPECT_THAT(
      PlanLines(Wanted(2), {WorkerIn(WorkerState::kReady, 0), WorkerIn(WorkerState::kReady, 1)}),
      IsEmpty());
}

TEST(MakePlan, DoesNotStartAgainWhatIsBeingStarted) {
  Worker pending = WorkerIn(WorkerState::kPending, 0);
  pending.operation = Operation::kStart;
  EXPECT_THAT(PlanLines(Wanted(1), {pending}), IsEmpty());
}

TEST(MakePlan, ScalesDownFromTheHighestOrdinal) {
  EXPECT_THAT(
      PlanLines(Wanted(1), {WorkerIn(WorkerState::kReady, 0), WorkerIn(WorkerState::kReady, 1),
                            WorkerIn(WorkerState::kReady, 2)}),
      ElementsAre("drain i2: scaled down", "drain i1: scaled down"));
}

TEST(MakePlan, ScalesDownByTheWorkerThatServesNothingFirst) {
  EXPECT_THAT(
      PlanLines(Wanted(1), {WorkerIn(WorkerState::kStarting, 0), WorkerIn(WorkerState::kReady, 1)}),
      ElementsAre("drain i0: scaled down"));
}

TEST(MakePlan, KeepsADrainingWorkerUntilEveryBalancerHasLetGo) {
  const std::vector<Worker> workers = {DrainingWorker(0, 7)};
  Balancer behind = ConnectedBalancer(6);
  EXPECT_THAT(PlanLines(Wanted(0), workers, {behind}), ElementsAre("stop balancer-0"));

  Desired desired = Wanted(0);
  desired.balancers.count = 1;
  EXPECT_THAT(PlanLines(desired, workers, {behind}), IsEmpty()) << "has not acknowledged";
  Balancer busy = ConnectedBalancer(7);
  busy.endpoints = {{"id0", 1, true, "", 1}};
  EXPECT_THAT(PlanLines(desired, workers, {busy}), IsEmpty()) << "has a request with it";
  Balancer unsure = ConnectedBalancer(7);
  unsure.reported_since_ack = false;
  EXPECT_THAT(PlanLines(desired, workers, {unsure}), IsEmpty()) << "its numbers are old";
  Balancer silent = ConnectedBalancer(7);
  silent.connected = false;
  EXPECT_THAT(PlanLines(desired, workers, {silent}), IsEmpty()) << "may still send";
  EXPECT_THAT(PlanLines(desired, workers, {ConnectedBalancer(7)}), ElementsAre("stop i0"));
}

Desired AtEndpoints(const std::vector<std::string>& endpoints) {
  Desired desired = Wanted(static_cast<uint32_t>(endpoints.size()));
  desired.services.front().spec.workload.endpoints = endpoints;
  return desired;
}

Worker WorkerAt(WorkerState state, uint32_t ordinal, const std::string& address) {
  Worker worker = WorkerIn(state, ordinal);
  worker.address = address;
  worker.port = 0;
  return worker;
}

TEST(MakePlan, WorkersOfOthersStayWhileTheirEndpointsAreNamed) {
  const std::vector<Worker> workers = {WorkerAt(WorkerState::kReady, 0, "192.0.2.1:80"),
                                       WorkerAt(WorkerState::kReady, 1, "192.0.2.2:80")};
  EXPECT_THAT(PlanLines(AtEndpoints({"192.0.2.2:80", "192.0.2.1:80"}), workers), IsEmpty());
  EXPECT_THAT(PlanLines(AtEndpoints({"192.0.2.1:80"}), workers), ElementsAre("drain i1: replaced"));
}

TEST(MakePlan, AnotherEndpointServesBeforeItsPredecessorDrains) {
  const Worker old = WorkerAt(WorkerState::kReady, 0, "192.0.2.1:80");
  const Desired desired = AtEndpoints({"192.0.2.2:80"});
  EXPECT_THAT(PlanLines(desired, {old}), ElementsAre("start worker-1 on port 6001"));
  EXPECT_THAT(PlanLines(desired, {old, WorkerAt(WorkerState::kStarting, 1, "192.0.2.2:80")}),
              IsEmpty());
  EXPECT_THAT(PlanLines(desired, {old, WorkerAt(WorkerState::kReady, 1, "192.0.2.2:80")}),
              ElementsAre("drain i0: replaced"));
}

TEST(MakePlan, AnEndpointThatDoesNotAnswerYetIsWaitedForWithoutEnd) {
  EXPECT_THAT(PlanLines(AtEndpoints({"192.0.2.1:80"}),
                        {WorkerAt(WorkerState::kStarting, 0, "192.0.2.1:80")}, {},
                        kStart + std::chrono::hours(24)),
              IsEmpty());
}

TEST(MakePlan, ADeadBalancerHoldsUpNoDrain) {
  Desired desired = Wanted(0);
  desired.balancers.count = 1;
  Balancer dead = ConnectedBalancer(3);
  dead.process_alive = false;
  dead.next_start = kStart + seconds(5);
  EXPECT_THAT(PlanLines(desired, {DrainingWorker(0, 7)}, {dead}), ElementsAre("stop i0"));
}

TEST(MakePlan, StopsAWorkerWhoseDrainIsOverdue) {
  Desired desired = Wanted(0);
  desired.balancers.count = 1;
  const std::vector<Worker> workers = {DrainingWorker(0, 7)};
  const std::vector<Balancer> balancers = {ConnectedBalancer(6)};
  const SteadyTime deadline = kStart + desired.services[0].spec.drain_timeout;

  const Plan early = MakePlan(desired, workers, balancers, deadline - milliseconds(1));
  EXPECT_THAT(Lines(early), IsEmpty());
  EXPECT_EQ(early.wake, deadline);
  EXPECT_THAT(PlanLines(desired, workers, balancers, deadline),
              ElementsAre("stop i0 (drain overdue)"));
}

TEST(MakePlan, AWorkerHeldByAnOperatorIsNeverStopped) {
  Worker held = WorkerIn(WorkerState::kDraining, 0);
  held.held = true;
  held.drain_version = 1;
  EXPECT_THAT(PlanLines(Wanted(1), {held}), IsEmpty());
}

TEST(MakePlan, ReplacesAnOutdatedWorkerOnlyAfterItsSuccessorServes) {
  const Worker old = WorkerIn(WorkerState::kReady, 0, "old");
  EXPECT_THAT(PlanLines(Wanted(1), {old}), ElementsAre("start worker-1 on port 6001"));
  EXPECT_THAT(PlanLines(Wanted(1), {old, WorkerIn(WorkerState::kStarting, 1)}), IsEmpty());
  EXPECT_THAT(PlanLines(Wanted(1), {old, WorkerIn(WorkerState::kReady, 1)}),
              ElementsAre("drain i0: replaced"));
}

TEST(MakePlan, WaitsUntilASuccessorHasBeenReadyForLongEnough) {
  Desired desired = Wanted(1);
  desired.services[0].spec.rollout.min_ready = seconds(5);
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0, "old"),
                                       WorkerIn(WorkerState::kReady, 1)};
  const Plan early = MakePlan(desired, workers, {}, kStart + seconds(4));
  EXPECT_THAT(Lines(early), IsEmpty());
  EXPECT_EQ(early.wake, kStart + seconds(5));
  EXPECT_THAT(PlanLines(desired, workers, {}, kStart + seconds(5)),
              ElementsAre("drain i0: replaced"));
}

TEST(MakePlan, KeepsWithinTheSurge) {
  EXPECT_THAT(PlanLines(Wanted(3), {WorkerIn(WorkerState::kReady, 0, "old"),
                                    WorkerIn(WorkerState::kReady, 1, "old"),
                                    WorkerIn(WorkerState::kReady, 2, "old"), DrainingWorker(3, 0)}),
              IsEmpty());
}

TEST(MakePlan, AWorkerWhosePortIsNoLongerWantedIsReplaced) {
  Desired desired = Wanted(1);
  desired.services[0].spec.host_port_base = 7000;
  EXPECT_THAT(PlanLines(desired, {WorkerIn(WorkerState::kReady, 0)}),
              ElementsAre("start worker-1 on port 7001"));
}

TEST(MakePlan, AWorkerThatCannotStartDoesNotSpreadOverMoreOrdinals) {
  Worker failing = WorkerIn(WorkerState::kBackOff, 1);
  failing.handle.clear();
  failing.next_start = kStart + seconds(60);
  EXPECT_THAT(PlanLines(Wanted(1), {WorkerIn(WorkerState::kReady, 0, "old"), failing}), IsEmpty());
}

TEST(MakePlan, ACrashedWorkerIsRemovedAndItsSuccessorStartsWhenItsTimeHasCome) {
  Worker crashed = WorkerIn(WorkerState::kBackOff, 0);
  crashed.next_start = kStart + seconds(1);
  EXPECT_THAT(PlanLines(Wanted(1), {crashed}), ElementsAre("remove i0"));
  crashed.handle.clear();
  const Plan early = MakePlan(Wanted(1), std::vector{crashed}, {}, kStart);
  EXPECT_THAT(Lines(early), IsEmpty());
  EXPECT_EQ(early.wake, kStart + seconds(1));
  EXPECT_THAT(PlanLines(Wanted(1), {crashed}, {}, kStart + seconds(1)),
              ElementsAre("start worker-0 on port 6000 in place of i0"));
}

TEST(MakePlan, AWorkerThatDoesNotBecomeReadyInTimeHasFailed) {
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kStarting, 0)};
  EXPECT_THAT(PlanLines(Wanted(1), workers, {}, kStart + seconds(30)),
              ElementsAre("fail i0: it did not become ready within 30000 ms"));
}

TEST(MakePlan, ACallThatFailedIsNotRepeatedAtOnce) {
  Worker stopped = WorkerIn(WorkerState::kStopped, 0);
  stopped.retry_at = kStart + seconds(1);
  EXPECT_THAT(PlanLines(Wanted(0), {stopped}), IsEmpty());
  EXPECT_THAT(PlanLines(Wanted(0), {stopped}, {}, kStart + seconds(1)), ElementsAre("remove i0"));
}

TEST(MakePlan, OfTwoWorkersWithOneNameTheOneThatServesStays) {
  Worker ready = WorkerIn(WorkerState::kReady, 0, "old");
  ready.instance = "i0-ready";
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kStarting, 0), ready};
  EXPECT_THAT(PlanLines(Wanted(1, "old"), workers),
              ElementsAre("drain i0: another worker has its name"));
  Desired paused = Wanted(1);
  paused.services[0].paused = true;
  EXPECT_THAT(PlanLines(paused, workers), ElementsAre("drain i0: another worker has its name"));
}

TEST(MakePlan, ASuccessorWaitsUntilTheOtherWorkerOfItsNameIsGone) {
  Worker crashed = WorkerIn(WorkerState::kBackOff, 0);
  crashed.instance = "i0-crashed";
  crashed.handle.clear();
  EXPECT_THAT(PlanLines(Wanted(1), {crashed, DrainingWorker(0, 0)}), IsEmpty());
}

TEST(MakePlan, WorkersOfAServiceThatIsGoneAreDrained) {
  Worker stray = WorkerIn(WorkerState::kReady, 0);
  stray.service = "gone";
  EXPECT_THAT(PlanLines(Wanted(0), {stray}), ElementsAre("drain i0: no longer wanted"));
}

TEST(MakePlan, StartsBalancersAndStopsThoseWhoseAddressIsNoLongerWanted) {
  Desired desired = Wanted(0);
  desired.balancers.count = 2;
  EXPECT_THAT(PlanLines(desired, {}, {ConnectedBalancer(1)}),
              ElementsAre("start balancer-1 on 127.0.0.1:5051"));
  desired.balancers.count = 1;
  desired.balancers.port_base = 8080;
  Balancer moved = ConnectedBalancer(1);
  moved.name = "balancer-0b";
  moved.address = "127.0.0.1:8080";
  EXPECT_THAT(PlanLines(desired, {}, {ConnectedBalancer(1)}),
              ElementsAre("start balancer-0b on 127.0.0.1:8080"));
  EXPECT_THAT(PlanLines(desired, {}, {ConnectedBalancer(1), moved}),
              ElementsAre("stop balancer-0"));
  desired.balancers.count = 0;
  EXPECT_THAT(PlanLines(desired, {}, {moved}), ElementsAre("stop balancer-0b"));
}

TEST(MakePlan, WhenStoppingBalancersGoFirstAndWorkersFollow) {
  Desired desired = Wanted(1);
  desired.stopping = true;
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0)};
  EXPECT_THAT(PlanLines(desired, workers, {ConnectedBalancer(1)}), ElementsAre("stop balancer-0"));
  Balancer draining = ConnectedBalancer(1);
  draining.state = BalancerState::kDraining;
  EXPECT_THAT(PlanLines(desired, workers, {draining}), IsEmpty());
  EXPECT_THAT(PlanLines(desired, workers, {}), ElementsAre("drain i0: no longer wanted"));
}

}  // namespace
}  // namespace gocomet::controlplane
