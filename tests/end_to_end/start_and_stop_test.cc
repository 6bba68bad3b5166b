// Bad input at start gets one clear error, and nothing is started or half done.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/system.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Program(const std::string& name) { return Cat(GOCOMET_PROGRAMS, "/", name); }

UniqueFd ListenOn(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = *Address::FromIpAndPort("127.0.0.1", port);
  if (::bind(fd.get(), address.socket_address(), address.socket_address_length()) != 0 ||
      ::listen(fd.get(), 1) != 0) {
    fd.Reset();
  }
  return fd;
}

TEST(Start, CheckSaysWhetherAConfigIsValidAndStartsNothing) {
  System system("process");
  system.WriteConfig();
  const auto good =
      RunCommand({Program("gocomet-controlplane"), "--config", system.config_file(), "--check"});
  EXPECT_EQ(good.exit_code, 0) << good.output;
  EXPECT_THAT(good.output, HasSubstr("is valid"));

  std::ofstream(system.config_file()) << "worker: 3\nwokrer: 4\nfailure: 101\n";
  const auto bad =
      RunCommand({Program("gocomet-controlplane"), "--config", system.config_file(), "--check"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.output, AllOf(HasSubstr(Cat(system.config_file(), ":2:1:")), HasSubstr("worker"),
                                HasSubstr(Cat(system.config_file(), ":3:"))));
  EXPECT_FALSE(std::filesystem::exists(system.directory() + "/.gocomet"));
}

TEST(Start, ATakenBalancerPortIsNamedAndNothingIsStarted) {
  System system("process");
  const uint16_t port = system.balancer_ports().front();
  const UniqueFd taken = ListenOn(port);
  ASSERT_TRUE(taken.valid());
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  EXPECT_THAT(system.output(),
              AllOf(HasSubstr(Cat("127.0.0.1:", port)), HasSubstr("load-balancer-port")));
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

TEST(Start, ATakenWorkerPortIsNamedAndNothingIsStarted) {
  System system("process");
  const UniqueFd taken = ListenOn(static_cast<uint16_t>(system.first_worker_port() + 1));
  ASSERT_TRUE(taken.valid());
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  EXPECT_THAT(system.output(),
              AllOf(HasSubstr(Cat(system.first_worker_port() + 1)), HasSubstr("worker-port")));
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

TEST(Start, ASecondControlPlaneInTheSameDirectoryIsRefused) {
  System system("process");
  system.keys["worker"] = "1";
  system.keys["pool"] = "1";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto second =
      RunCommand({Program("gocomet-controlplane"), "--config", system.config_file()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.output, HasSubstr("another control plane (process "));
  EXPECT_EQ(system.ReadyWorkers(), 1U);
}

TEST(Start, ADatabaseThatIsNotOneIsRefusedAndLeftUntouched) {
  System system("process");
  std::ofstream(system.database()) << "these are notes, not a database\n";
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  EXPECT_THAT(system.output(), HasSubstr("stats-dir"));
  std::ifstream file(system.database());
  std::string first_line;
  std::getline(file, first_line);
  EXPECT_EQ(first_line, "these are notes, not a database");
}

TEST(Start, TwoSystemsRunSideBySide) {
  System one("process");
  System two("process");
  ASSERT_TRUE(one.Start().ok()) << one.output();
  ASSERT_TRUE(two.Start().ok()) << two.output();
  EXPECT_EQ(one.ReadyWorkers(), 3U);
  EXPECT_EQ(two.ReadyWorkers(), 3U);
}

TEST(Start, DetachOnExitLeavesEverythingRunningForTheNextStart) {
  System system("process");
  ASSERT_TRUE(system.Start({"--detach-on-exit"}).ok()) << system.output();
  const auto before = system.Workers();
  system.Signal(SIGTERM);
  ASSERT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_TRUE(HttpGet(system.balancer_ports().front(), "/api/v1/hello").ok());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_EQ(system.Workers().size(), before.size());
  EXPECT_EQ(system.Workers().front().id(), before.front().id());
}

TEST(Start, TheConfigFileIsReadAgainOnSighup) {
  System system("process");
  ASSERT_TRUE(system.Start().ok()) << system.output();
  system.keys["worker"] = "4";
  system.WriteConfig();
  system.Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil([&] { return system.ReadyWorkers() == 4; })) << system.output();
  std::ofstream(system.config_file()) << "worker: many\n";
  system.Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil([&] {
    for (const v1::Event& event : system.Events()) {
      if (event.kind() == "ReloadFailed") return true;
    }
    return false;
  }));
  EXPECT_EQ(system.ReadyWorkers(), 4U);
}

TEST(Start, AScaleSurvivesARestartWhileTheFileIsUnchanged) {
  System system("process");
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_TRUE(system.Scale(2).ok());
  ASSERT_TRUE(WaitUntil([&] { return system.Workers().size() == 2; }));
  system.Signal(SIGTERM);
  ASSERT_EQ(system.WaitForExit(), 0) << system.output();
  ASSERT_TRUE(system.Start().ok()) << system.output();
  EXPECT_EQ(system.Workers().size(), 2U);
  EXPECT_THAT(system.output(), HasSubstr("the revision stands"));
}

}  // namespace
}  // namespace gocomet::testing
