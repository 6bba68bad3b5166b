// Plans while a rollout is paused, given up or failing, for workers that stay unhealthy, and for
// balancers that hand over to a twin.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/cluster/plan.h"
#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> PlanLines(const Desired& desired, const std::vector<Worker>& workers,
                                   const std::vector<Balancer>& balancers = {},
                                   SteadyTime now = kStart) {
  return Lines(MakePlan(desired, workers, balancers, now));
}

Worker Crashed(uint32_t ordinal, const std::string& template_hash) {
  Worker worker = WorkerIn(WorkerState::kBackOff, ordinal, template_hash);
  worker.handle.clear();
  worker.next_start = kStart;
  return worker;
}

class PausedRollout : public ::testing::Test {
 protected:
  PausedRollout() {
    desired_.services[0].paused = true;
    auto earlier = std::make_shared<ServiceDesire>(WantedService(2, "old"));
    earlier->spec.host_port_base = 7000;
    desired_.services[0].earlier = earlier;
  }
  Desired desired_ = Wanted(2);
};

TEST_F(PausedRollout, ReplacesNobodyAndKeepsWhatTheSurgeHasBrought) {
  EXPECT_THAT(PlanLines(desired_, {WorkerIn(WorkerState::kReady, 0, "old"),
                                   WorkerIn(WorkerState::kReady, 1, "old"),
                                   WorkerIn(WorkerState::kReady, 2)}),
              IsEmpty());
}

TEST_F(PausedRollout, AnOldWorkerThatCrashesComesBackAsItWas) {
  EXPECT_THAT(PlanLines(desired_, {Crashed(0, "old"), WorkerIn(WorkerState::kReady, 1)}),
              ElementsAre("start worker-0 on port 7000 in place of i0 as before"));
  EXPECT_THAT(PlanLines(desired_, {Crashed(0, "new"), WorkerIn(WorkerState::kReady, 1)}),
              ElementsAre("start worker-0 on port 6000 in place of i0"));
}

TEST_F(PausedRollout, ScalesUpWithWhatHasProvenItself) {
  desired_.services[0].spec.replicas = 3;
  EXPECT_THAT(PlanLines(desired_, {WorkerIn(WorkerState::kReady, 0, "old"),
                                   WorkerIn(WorkerState::kReady, 1)}),
              ElementsAre("start worker-2 on port 7002 as before"));
}

TEST_F(PausedRollout, ScalesDownToNothing) {
  desired_.services[0].spec.replicas = 0;
  EXPECT_THAT(PlanLines(desired_, {WorkerIn(WorkerState::kReady, 0, "old"),
                                   WorkerIn(WorkerState::kReady, 1)}),
              ElementsAre("drain i1: no longer wanted", "drain i0: no longer wanted"));
}

TEST(GivenUpRollout, WhatItHasNotReplacedStays) {
  Desired desired = Wanted(2);
  desired.services[0].accepted_hashes = {"old"};
  EXPECT_THAT(PlanLines(desired, {WorkerIn(WorkerState::kReady, 0, "old"),
                                  WorkerIn(WorkerState::kReady, 1)}),
              IsEmpty());
  EXPECT_THAT(PlanLines(desired, {WorkerIn(WorkerState::kReady, 0, "older"),
                                  WorkerIn(WorkerState::kReady, 1)}),
              ElementsAre("start worker-2 on port 6002"));
}

TEST(Rollout, OldWorkersThatFailTheirProbesStayUntilANewOneServes) {
  const std::vector<Worker> old = {WorkerIn(WorkerState::kUnhealthy, 0, "old"),
                                   WorkerIn(WorkerState::kUnhealthy, 1, "old")};
  EXPECT_THAT(PlanLines(Wanted(2), old), ElementsAre("start worker-2 on port 6002"));
  EXPECT_THAT(PlanLines(Wanted(2), {old[0], old[1], WorkerIn(WorkerState::kReady, 2)}),
              ElementsAre("drain i0: replaced", "drain i1: replaced"));
}

TEST(Rollout, OldWorkersThatAreAdoptedStayUntilTheyAreProbed) {
  const Desired desired = Wanted(2);
  const auto adopted = [](uint32_t ordinal, const std::string& template_hash) {
    Worker worker = WorkerIn(WorkerState::kStarting, ordinal, template_hash);
    worker.adopted = true;
    return worker;
  };
  std::vector<Worker> workers = {adopted(0, "old"), adopted(1, "old"), adopted(2, "new")};
  EXPECT_THAT(PlanLines(desired, workers), IsEmpty()) << "nobody knows who serves";
  workers[2] = WorkerIn(WorkerState::kReady, 2);
  workers[1] = WorkerIn(WorkerState::kReady, 1, "old");
  EXPECT_THAT(PlanLines(desired, workers), IsEmpty()) << "worker-0 may be one of the two";
  workers[0] = WorkerIn(WorkerState::kReady, 0, "old");
  EXPECT_THAT(PlanLines(desired, workers), ElementsAre("drain i0: replaced"));
  workers[0] = WorkerIn(WorkerState::kStarting, 0, "old");
  EXPECT_THAT(PlanLines(desired, workers), ElementsAre("drain i0: replaced"))
      << "its probe has failed";
}

// A rollout without trouble never serves with fewer workers than are wanted.
TEST(Rollout, KeepsFullCapacity) {
  for (uint32_t replicas = 1; replicas <= 5; ++replicas) {
    std::vector<Worker> workers;
    for (uint32_t i = 0; i < replicas; ++i)
      workers.push_back(WorkerIn(WorkerState::kReady, i, "old"));
    const Desired desired = Wanted(replicas);
    int born = 0;
    for (int step = 0; step < 100; ++step) {
      for (const Action& action : MakePlan(desired, workers, {}, kStart).actions) {
        if (const auto* start = std::get_if<StartWorker>(&action)) {
          Worker worker = WorkerIn(WorkerState::kReady, start->ordinal);
          worker.instance = Cat("n", ++born);
          workers.push_back(worker);
        } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
          std::erase_if(workers, [&](const Worker& w) { return w.instance == drain->instance; });
        }
        ASSERT_GE(workers.size(), replicas);
        ASSERT_LE(workers.size(), replicas + 1);
      }
    }
    for (const Worker& worker : workers) EXPECT_EQ(worker.template_hash, "new");
    EXPECT_EQ(born, static_cast<int>(replicas));
  }
}

class Liveness : public ::testing::Test {
 protected:
  Liveness() { desired_.services[0].spec.liveness.restart_after = seconds(60); }
  static constexpr SteadyTime kLater = kStart + seconds(60);
  Desired desired_ = Wanted(2);
};

TEST_F(Liveness, AWorkerThatStaysUnhealthyIsReplaced) {
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0),
                                       WorkerIn(WorkerState::kUnhealthy, 1)};
  const Plan early = MakePlan(desired_, workers, {}, kLater - seconds(1));
  EXPECT_THAT(Lines(early), IsEmpty());
  EXPECT_EQ(early.wake, kLater);
  EXPECT_THAT(PlanLines(desired_, workers, {}, kLater),
              ElementsAre("replace i1: it has been unhealthy for 60000 ms"));
}

TEST_F(Liveness, IsOffUnlessSomebodyAskedForIt) {
  EXPECT_THAT(
      PlanLines(Wanted(2), {WorkerIn(WorkerState::kReady, 0), WorkerIn(WorkerState::kUnhealthy, 1)},
                {}, kLater),
      IsEmpty());
}

TEST_F(Liveness, OneIsReplacedAtATimeTheLongestUnhealthyFirst) {
  desired_.services[0].spec.replicas = 3;
  Worker longer = WorkerIn(WorkerState::kUnhealthy, 2);
  longer.state_since = kStart - seconds(1);
  std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0),
                                 WorkerIn(WorkerState::kUnhealthy, 1), longer};
  EXPECT_THAT(PlanLines(desired_, workers, {}, kLater),
              ElementsAre("replace i2: it has been unhealthy for 60000 ms"));
  workers[2] = WorkerIn(WorkerState::kStarting, 2);
  workers[2].state_since = kLater;
  EXPECT_THAT(PlanLines(desired_, workers, {}, kLater), IsEmpty()) << "a successor comes up";
}

TEST_F(Liveness, WaitsForThePauseThatGrowsWithEachRestart) {
  desired_.services[0].next_liveness_restart = kLater + seconds(20);
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0),
                                       WorkerIn(WorkerState::kUnhealthy, 1)};
  const Plan early = MakePlan(desired_, workers, {}, kLater);
  EXPECT_THAT(Lines(early), IsEmpty());
  EXPECT_EQ(early.wake, kLater + seconds(20));
}

TEST_F(Liveness, WhereNobodyServesTheSuccessorComesFirst) {
  desired_.services[0].spec.replicas = 1;
  Worker replaced = WorkerIn(WorkerState::kUnhealthy, 0);
  EXPECT_THAT(PlanLines(desired_, {replaced}, {}, kLater),
              ElementsAre("replace i0: it has been unhealthy for 60000 ms"));
  replaced.replace_requested = true;
  EXPECT_THAT(PlanLines(desired_, {replaced}, {}, kLater),
              ElementsAre("start worker-1 on port 6001"));
  EXPECT_THAT(PlanLines(desired_, {replaced, WorkerIn(WorkerState::kReady, 1)}, {}, kLater),
              ElementsAre("drain i0: replaced"));
  desired_.services[0].spec.rollout.max_surge = 0;
  replaced.replace_requested = false;
  EXPECT_THAT(PlanLines(desired_, {replaced}, {}, kLater), IsEmpty()) << "nobody can stand in";
}

class Twins : public ::testing::Test {
 protected:
  Twins() {
    desired_.balancers.count = 1;
    desired_.balancers.threads = 2;
    desired_.balancer_program = "new";
    first_.threads = 2;
    first_.program = "new";
  }
  Balancer Twin(BalancerState state) const {
    Balancer twin = ConnectedBalancer(1);
    twin.name = "balancer-0b";
    twin.threads = 2;
    twin.program = "new";
    twin.state = state;
    return twin;
  }
  Desired desired_ = Wanted(0);
  Balancer first_ = ConnectedBalancer(1);
};

TEST_F(Twins, ABalancerThatRunsAsWantedStays) {
  EXPECT_THAT(PlanLines(desired_, {}, {first_}), IsEmpty());
  first_.program = "";
  EXPECT_THAT(PlanLines(desired_, {}, {first_}), IsEmpty()) << "nobody knows what it runs";
}

TEST_F(Twins, OtherThreadsOrAnotherProgramComeByATwinAtTheSameAddress) {
  first_.threads = 1;
  EXPECT_THAT(PlanLines(desired_, {}, {first_}),
              ElementsAre("start balancer-0b on 127.0.0.1:5050"));
  first_.threads = 2;
  first_.program = "old";
  EXPECT_THAT(PlanLines(desired_, {}, {first_}),
              ElementsAre("start balancer-0b on 127.0.0.1:5050"));
}

TEST_F(Twins, TheFirstOneGoesOnlyOnceTheTwinServes) {
  first_.threads = 1;
  EXPECT_THAT(PlanLines(desired_, {}, {first_, Twin(BalancerState::kStarting)}), IsEmpty());
  EXPECT_THAT(PlanLines(desired_, {}, {first_, Twin(BalancerState::kReady)}),
              ElementsAre("stop balancer-0"));
}

TEST_F(Twins, TheFirstOneIsForgottenOnceItHasStopped) {
  first_.process_alive = false;
  first_.state = BalancerState::kStopped;
  EXPECT_THAT(PlanLines(desired_, {}, {first_, Twin(BalancerState::kReady)}),
              ElementsAre("forget balancer-0"));
}

TEST_F(Twins, ATwinThatCannotServeIsTriedAgainWhileTheFirstOneGoesOn) {
  first_.threads = 1;
  Balancer failed = Twin(BalancerState::kBackOff);
  failed.process_alive = false;
  failed.next_start = kStart + seconds(2);
  const Plan early = MakePlan(desired_, {}, std::vector{first_, failed}, kStart);
  EXPECT_THAT(Lines(early), IsEmpty());
  EXPECT_EQ(early.wake, kStart + seconds(2));
  EXPECT_THAT(PlanLines(desired_, {}, {first_, failed}, kStart + seconds(2)),
              ElementsAre("start balancer-0b on 127.0.0.1:5050"));
}

TEST_F(Twins, ATwinHandsOverToTheFirstName) {
  Balancer twin = Twin(BalancerState::kReady);
  twin.threads = 1;
  EXPECT_THAT(PlanLines(desired_, {}, {twin}), ElementsAre("start balancer-0 on 127.0.0.1:5050"));
}

TEST_F(Twins, ATwinThatCrashesComesBackUnderItsName) {
  Balancer twin = Twin(BalancerState::kBackOff);
  twin.process_alive = false;
  EXPECT_THAT(PlanLines(desired_, {}, {twin}), ElementsAre("start balancer-0b on 127.0.0.1:5050"));
}

TEST_F(Twins, AnotherAddressOfThePortComesByATwinToo) {
  desired_.balancers.bind_address = "0.0.0.0";
  EXPECT_THAT(PlanLines(desired_, {}, {first_}), ElementsAre("start balancer-0b on 0.0.0.0:5050"));
  Balancer twin = Twin(BalancerState::kStarting);
  twin.address = "0.0.0.0:5050";
  EXPECT_THAT(PlanLines(desired_, {}, {first_, twin}), IsEmpty());
  twin.state = BalancerState::kReady;
  EXPECT_THAT(PlanLines(desired_, {}, {first_, twin}), ElementsAre("stop balancer-0"));
}

TEST_F(Twins, APoolThatMovesByAPortKeepsWhoServesAPortThatStaysWanted) {
  desired_.balancers.count = 2;
  desired_.balancers.port_base = 5051;
  Balancer second = first_;
  second.name = "balancer-1";
  second.address = "127.0.0.1:5051";
  EXPECT_THAT(
      PlanLines(desired_, {}, {first_, second}),
      ElementsAre("start balancer-0b on 127.0.0.1:5051", "start balancer-1b on 127.0.0.1:5052"));
  Balancer moved = Twin(BalancerState::kStarting);
  moved.address = "127.0.0.1:5051";
  Balancer second_moved = Twin(BalancerState::kReady);
  second_moved.name = "balancer-1b";
  second_moved.address = "127.0.0.1:5052";
  EXPECT_THAT(PlanLines(desired_, {}, {first_, second, moved, second_moved}), IsEmpty())
      << "balancer-1 is the only one on port 5051";
  moved.state = BalancerState::kReady;
  EXPECT_THAT(PlanLines(desired_, {}, {first_, second, moved, second_moved}),
              ElementsAre("stop balancer-0", "stop balancer-1"));
}

TEST_F(Twins, ABalancerThatIsNoLongerWantedStaysUntilItsPortIsServed) {
  desired_.balancers.port_base = 5051;
  Balancer second = first_;
  second.name = "balancer-1";
  second.address = "127.0.0.1:5051";
  EXPECT_THAT(PlanLines(desired_, {}, {first_, second}),
              ElementsAre("start balancer-0b on 127.0.0.1:5051"));
}

TEST_F(Twins, WhereBothNamesAreTakenElsewhereTheOneThatDoesNotServeMakesRoom) {
  desired_.balancers.port_base = 8080;
  Balancer elsewhere = Twin(BalancerState::kStarting);
  elsewhere.address = "127.0.0.1:7070";
  EXPECT_THAT(PlanLines(desired_, {}, {first_, elsewhere}), ElementsAre("stop balancer-0b"));
  elsewhere.address = "0.0.0.0:5050";
  EXPECT_THAT(PlanLines(desired_, {}, {first_, elsewhere}), IsEmpty())
      << "a hand-over is under way, which ends one of them";
}

TEST_F(Twins, ANameThatIsFreeIsUsedWhileAnotherFinishesWhatItHas) {
  first_.state = BalancerState::kDraining;
  EXPECT_THAT(PlanLines(desired_, {}, {first_}),
              ElementsAre("start balancer-0b on 127.0.0.1:5050"));
  Balancer twin = Twin(BalancerState::kDraining);
  EXPECT_THAT(PlanLines(desired_, {}, {first_, twin}), IsEmpty());
}

TEST_F(Twins, BothGoWhereNoneIsWanted) {
  desired_.balancers.count = 0;
  EXPECT_THAT(PlanLines(desired_, {}, {first_, Twin(BalancerState::kReady)}),
              ElementsAre("stop balancer-0", "stop balancer-0b"));
}

}  // namespace
}  // namespace gocomet::controlplane
