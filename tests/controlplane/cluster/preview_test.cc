#include "controlplane/cluster/preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Sentences(const Desired& from, const Desired& to,
                                   const std::vector<Worker>& workers,
                                   const std::vector<Balancer>& balancers) {
  return MakePreview(from, to, workers, balancers).sentences;
}

TEST(Preview, AreNoneWhereNothingChanges) {
  EXPECT_THAT(Sentences(Wanted(1), Wanted(1), std::vector{WorkerIn(WorkerState::kReady, 0)}, {}),
              IsEmpty());
}

TEST(Preview, NameWorkersThatStartAndStop) {
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0),
                                       WorkerIn(WorkerState::kReady, 1)};
  EXPECT_THAT(Sentences(Wanted(2), Wanted(3), workers, {}),
              ElementsAre("start worker-2 on port 6002"));
  EXPECT_THAT(Sentences(Wanted(2), Wanted(1), workers, {}),
              ElementsAre("drain, then stop worker-1"));
}

TEST(Preview, SayThatNewDialsRestartNobody) {
  Desired slower = Wanted(1);
  slower.services[0].spec.demo.failure_percent = 99;
  EXPECT_THAT(
      Sentences(Wanted(1), slower, std::vector{WorkerIn(WorkerState::kReady, 0)}, {}),
      ElementsAre("send the new delay and failure rate to 1 workers of worker; none is restarted"));
}

TEST(Preview, NameWorkersThatAreReplacedAndBalancersThatMove) {
  Desired from = Wanted(1, "old");
  from.balancers.count = 1;
  Desired to = Wanted(1, "new");
  to.balancers = from.balancers;
  to.balancers.port_base = 8080;
  EXPECT_THAT(Sentences(from, to, std::vector{WorkerIn(WorkerState::kReady, 0, "old")},
                        std::vector{ConnectedBalancer(1)}),
              ElementsAre("replace worker-0: start its successor, drain it, stop it",
                          "start balancer-0b on 127.0.0.1:8080",
                          "drain, then stop balancer-0 on 127.0.0.1:5050"));
}

TEST(Preview, BalancersOfOnePortHandOverWhateverTheirNamesAndAddresses) {
  Desired from = Wanted(0);
  from.balancers.count = 2;
  Desired to = from;
  to.balancers.port_base = 5051;
  to.balancers.bind_address = "0.0.0.0";
  Balancer second = ConnectedBalancer(1);
  second.name = "balancer-1";
  second.address = "127.0.0.1:5051";
  EXPECT_THAT(Sentences(from, to, {}, std::vector{ConnectedBalancer(1), second}),
              ElementsAre("replace balancer-1 by balancer-0b on 0.0.0.0:5051, which takes over its "
                          "sockets; no connection is refused",
                          "start balancer-1b on 0.0.0.0:5052",
                          "drain, then stop balancer-0 on 127.0.0.1:5050"));
}

TEST(Preview, TellsTheOrderTheLowestCapacityAndThePorts) {
  Desired to = Wanted(3, "new");
  to.services[0].spec.rollout.max_unavailable = 1;
  to.services[0].spec.rollout.max_surge = 2;
  const std::vector<Worker> workers = {WorkerIn(WorkerState::kReady, 0, "old"),
                                       WorkerIn(WorkerState::kReady, 1, "new"),
                                       WorkerIn(WorkerState::kUnhealthy, 2, "old")};
  const Preview preview = MakePreview(Wanted(3, "old"), to, workers, {});
  ASSERT_EQ(preview.services.size(), 1);
  const Preview::ServiceSteps& service = preview.services[0];
  ASSERT_EQ(service.steps.size(), 2);
  EXPECT_EQ(service.steps[0].worker, "worker-2") << "one that does not serve comes first";
  EXPECT_EQ(service.steps[1].worker, "worker-0");
  EXPECT_EQ(service.steps[1].kind, Preview::WorkerStep::Kind::kReplace);
  EXPECT_EQ(service.serving, 2);
  EXPECT_EQ(service.lowest_serving, 2);
  EXPECT_EQ(service.first_port, 6000);
  EXPECT_EQ(service.last_port, 6004);
}

TEST(Preview, StopsTheWorkersOfAServiceThatIsNoLongerWanted) {
  Desired to = Wanted(1);
  to.services[0].spec.name = "web";
  const Preview preview =
      MakePreview(Wanted(1), to, std::vector{WorkerIn(WorkerState::kReady, 0)}, {});
  EXPECT_THAT(preview.sentences,
              ElementsAre("start web-0 on port 6000", "drain, then stop worker-0"));
  ASSERT_EQ(preview.services.size(), 2);
  EXPECT_EQ(preview.services[1].service, "worker");
  EXPECT_EQ(preview.services[1].lowest_serving, 0);
}

TEST(Preview, CountsTheConnectionsOfClientsAtBalancersThatStop) {
  Desired from = Wanted(0);
  from.balancers.count = 1;
  Balancer balancer = ConnectedBalancer(1);
  balancer.connections = 7;
  const Preview preview = MakePreview(from, Wanted(0), {}, std::vector{balancer});
  ASSERT_EQ(preview.balancers.size(), 1);
  EXPECT_FALSE(preview.balancers[0].starts);
  EXPECT_EQ(preview.client_connections_affected, 7);
}

}  // namespace
}  // namespace gocomet::controlplane
