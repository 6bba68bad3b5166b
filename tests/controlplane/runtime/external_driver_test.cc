#include "controlplane/runtime/external_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/runtime/process_driver.h"
#include "controlplane/runtime/worker_address.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::HasSubstr;

TEST(ExternalDriver, AWorkerIsItsAddressAndAlwaysHasTheSameId) {
  WorkerLaunch launch = NewLaunch(4);
  launch.port = 6004;
  std::string id;
  for (int life = 0; life < 2; ++life) {
    const auto driver = MakeExternalDriver();
    const auto worker = Start(*driver, launch);
    ASSERT_TRUE(worker.ok()) << worker.status();
    EXPECT_EQ(worker->address, "127.0.0.1:6004");
    EXPECT_EQ(worker->balancer_address, "127.0.0.1:6004");
    EXPECT_TRUE(worker->running);
    EXPECT_TRUE(IsInstance(worker->id)) << worker->id;
    EXPECT_TRUE(id.empty() || id == worker->id);
    id = worker->id;
  }
}

TEST(ExternalDriver, ForgetsOnStopAndRemoveAndListsTheRest) {
  const auto driver = MakeExternalDriver();
  EXPECT_TRUE(Prepare(*driver).ok());
  const WorkerLaunch one = NewLaunch(0);
  const WorkerLaunch two = NewLaunch(1);
  const auto first = Start(*driver, one);
  ASSERT_TRUE(first.ok() && Start(*driver, two).ok());
  EXPECT_TRUE(Start(*driver, one).ok()) << "again";
  EXPECT_EQ(List(*driver)->size(), 2u);
  EXPECT_TRUE(Stop(*driver, first->handle).ok());
  EXPECT_TRUE(Remove(*driver, first->handle).ok());
  EXPECT_EQ(List(*driver)->size(), 1u);
  EXPECT_EQ(Listed(*driver, two.instance).ordinal, 1u);
}

TEST(ExternalDriver, TwoWorkersCannotHaveOneAddress) {
  const auto driver = MakeExternalDriver();
  const WorkerLaunch one = NewLaunch(0);
  WorkerLaunch two = NewLaunch(1);
  two.port = one.port;
  ASSERT_TRUE(Start(*driver, one).ok());
  const absl::Status refused = Start(*driver, two).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(refused.ToString(), HasSubstr(std::to_string(one.port)));
}

WorkerLaunch AtEndpoint(const std::string& endpoint) {
  WorkerLaunch launch = NewLaunch();
  launch.service = "legacy";
  launch.port = 0;
  launch.workload.endpoints = {endpoint};
  launch.endpoint = endpoint;
  return launch;
}

TEST(ExternalDriver, AWorkerAtAnEndpointIsReachedThereByEverybody) {
  const auto driver = MakeExternalDriver();
  for (const char* endpoint : {"192.0.2.7:8080", "[::1]:8080", "unix:/run/web.sock"}) {
    const auto worker = Start(*driver, AtEndpoint(endpoint));
    ASSERT_TRUE(worker.ok()) << worker.status();
    EXPECT_EQ(worker->address, endpoint);
    EXPECT_EQ(worker->balancer_address, endpoint);
    EXPECT_EQ(worker->port, 0);
  }
  EXPECT_EQ(List(*driver)->size(), 3u);
}

TEST(ExternalDriver, ServicesMayShareAnEndpointAndAreToldApart) {
  const auto driver = MakeExternalDriver();
  WorkerLaunch other = AtEndpoint("192.0.2.7:8080");
  other.service = "other";
  const auto first = Start(*driver, AtEndpoint("192.0.2.7:8080"));
  const auto second = Start(*driver, other);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->id, second->id);
}

TEST(ExternalDriver, WithoutAFreeEndpointItSaysSo) {
  WorkerLaunch launch = AtEndpoint("192.0.2.7:8080");
  launch.endpoint.clear();
  const absl::Status status = Start(*MakeExternalDriver(), launch).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.ToString(), HasSubstr("endpoint of legacy"));
}

TEST(DriverWithEndpoints, KeepsThoseBesideItsOwnWorkers) {
  const TemporaryDirectory state;
  ProcessDriverOptions options;
  options.worker_program = "/bin/true";
  options.workers_directory = state.path() + "/workers";
  options.config_directory = state.path();
  auto processes = MakeProcessDriver(options);
  ASSERT_TRUE(processes.ok()) << processes.status();
  const auto driver = WithEndpoints(*std::move(processes));
  EXPECT_EQ(driver->kind(), RuntimeKind::kProcess);
  WorkerLaunch own = NewLaunch();
  own.workload.command = {"sleep", "1000"};
  const auto process = Start(*driver, own);
  const auto endpoint = Start(*driver, AtEndpoint("192.0.2.7:8080"));
  ASSERT_TRUE(process.ok() && endpoint.ok()) << process.status() << endpoint.status();
  EXPECT_EQ(List(*driver)->size(), 2u);
  EXPECT_THAT(LogLines(*driver, endpoint->handle, 1).front(), HasSubstr("UNIMPLEMENTED"));
  EXPECT_TRUE(Stop(*driver, endpoint->handle).ok());
  EXPECT_TRUE(Remove(*driver, endpoint->handle).ok());
  EXPECT_EQ(List(*driver)->size(), 1u);
  EXPECT_TRUE(Remove(*driver, process->handle).ok());
  EXPECT_TRUE(List(*driver)->empty());
}

TEST(ExternalDriver, HasNoLogsAndSaysWhy) {
  const std::vector<std::string> lines = LogLines(*MakeExternalDriver(), "0123456789ab", 1);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines.front(), HasSubstr("UNIMPLEMENTED"));
  EXPECT_THAT(lines.front(), HasSubstr("look where it runs"));
}

TEST(WorkerAddress, AWorkerThatListensEverywhereIsReachedAtLoopback) {
  EXPECT_EQ(ReachableAddress("0.0.0.0", 6000), "127.0.0.1:6000");
  EXPECT_EQ(ReachableAddress("::", 6000), "[::1]:6000");
  EXPECT_EQ(ReachableAddress("10.0.0.1", 6000), "10.0.0.1:6000");
  EXPECT_EQ(ReachableAddress("fe80::1", 6000), "[fe80::1]:6000");
}

TEST(WorkerAddress, BalancersUseTheSocketWhereItsPathFits) {
  EXPECT_EQ(BalancerAddress("/s/http.sock", "127.0.0.1:1"), "unix:/s/http.sock");
  const std::string longest = "/" + std::string(106, 'x');
  EXPECT_EQ(BalancerAddress(longest, "127.0.0.1:1"), "unix:" + longest);
  EXPECT_EQ(BalancerAddress(longest + "x", "127.0.0.1:1"), "127.0.0.1:1");
}

}  // namespace
}  // namespace gocomet::controlplane
