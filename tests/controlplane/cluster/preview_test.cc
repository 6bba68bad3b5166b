#include "controlplane/cluster/preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PreviewSteps, AreNoneWhereNothingChanges) {
  EXPECT_THAT(PreviewSteps(Wanted(1), Wanted(1), std::vector{WorkerIn(WorkerState::kReady, 0)}, {}),
              IsEmpty());
}

TEST(PreviewSteps, NameWorkersThatStartAndStop) {
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0),
                                       WorkerIn(WorkerState::kReady, 1)};
  EXPECT_THAT(PreviewSteps(Wanted(2), Wanted(3), workers, {}),
              ElementsAre("start worker-2 on port 6002"));
  EXPECT_THAT(PreviewSteps(Wanted(2), Wanted(1), workers, {}),
              ElementsAre("drain, then stop worker-1"));
}

TEST(PreviewSteps, SayThatNewDialsRestartNobody) {
  Desired slower = Wanted(1);
  slower.services[0].spec.demo.failure_percent = 99;
  EXPECT_THAT(
      PreviewSteps(Wanted(1), slower, std::vector{WorkerIn(WorkerState::kReady, 0)}, {}),
      ElementsAre("send the new delay and failure rate to 1 workers of worker; none is restarted"));
}

TEST(PreviewSteps, NameWorkersThatAreReplacedAndBalancersThatMove) {
  Desired from = Wanted(1, "old");
  from.balancers.count = 1;
  Desired to = Wanted(1, "new");
  to.balancers = from.balancers;
  to.balancers.port_base = 8080;
  EXPECT_THAT(PreviewSteps(from, to, std::vector{WorkerIn(WorkerState::kReady, 0, "old")},
                           std::vector{ConnectedBalancer(1)}),
              ElementsAre("replace worker-0: start its successor, drain it, stop it",
                          "start balancer-0 on 127.0.0.1:8080",
                          "drain, then stop balancer-0 on 127.0.0.1:5050"));
}

}  // namespace
}  // namespace gocomet::controlplane
