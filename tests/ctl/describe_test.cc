#include <gmock/gmock.h>

#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/workers.pb.h"
#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

using testing::HasSubstr;

class DescribeTest : public CtlTest {
 protected:
  DescribeTest() {
    fake_.Script(
        "WorkerService/GetWorker",
        Make<v1::Worker>("name: 'worker-0' id: 'abc' status { state: WORKER_STATE_READY }"));
    fake_.Script("EventService/ListEvents",
                 Make<v1::ListEventsResponse>("events { sequence: 1 subject: 'worker/worker-0'"
                                              " kind: 'WorkerReady' message: 'is ready' }"));
  }
};

TEST_F(DescribeTest, AWorkerComesWithItsEvents) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"describe", "worker", "worker-0"},
        {"describe", "worker/worker-0"}}) {
    const Outcome run = Ctl(command);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("Name:               worker-0\n"));
    EXPECT_THAT(run.out, HasSubstr("WorkerReady   worker/worker-0   is ready\n"));
  }
}

TEST_F(DescribeTest, AWorkerStandsWithoutItsEvents) {
  fake_.Script("EventService/ListEvents", {Answer::Error(grpc::StatusCode::INTERNAL, "no disk")});
  const Outcome run = Ctl({"describe", "worker", "worker-0"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("State:              Ready\n"));
}

TEST_F(DescribeTest, ABalancerShowsItsSnapshot) {
  fake_.Script("BalancerService/GetBalancer",
               Make<v1::Balancer>("name: 'balancer-0' status { snapshot_version: 12 }"));
  EXPECT_THAT(Ctl({"describe", "lb", "balancer-0"}).out, HasSubstr("Snapshot:           12\n"));
}

TEST_F(DescribeTest, AServiceShowsItsWorkers) {
  fake_.Script(
      "ServiceService/GetService",
      Make<v1::Service>("name: 'worker' spec { replicas: 2 } status { workers: 1 ready: 1 }"));
  fake_.Script("WorkerService/ListWorkers",
               Make<v1::ListWorkersResponse>("workers { name: 'worker-0' }"));
  const Outcome run = Ctl({"describe", "service", "worker"});
  EXPECT_THAT(run.out, HasSubstr("Replicas:           2 wanted, 1 exist, 1 ready, 0 up to date\n"));
  EXPECT_THAT(run.out, HasSubstr("\n  worker-0 "));
}

TEST_F(DescribeTest, NeedsANameAndAKindThatHasMoreToSay) {
  EXPECT_EQ(Ctl({"describe", "worker"}).exit_code, 2);
  EXPECT_EQ(Ctl({"describe", "worker-0"}).exit_code, 2);
  const Outcome run = Ctl({"describe", "revision", "1"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("expected worker, balancer or service"));
}

TEST_F(DescribeTest, WhatIsNotThereEndsWithThree) {
  fake_.Script("WorkerService/GetWorker",
               {Answer::Error(grpc::StatusCode::NOT_FOUND, "there is no worker 'nope'")});
  const Outcome run = Ctl({"describe", "worker", "nope"});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.err, "gocometctl: there is no worker 'nope'\n");
}

}  // namespace
}  // namespace gocomet::ctl
