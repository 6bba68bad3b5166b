// Bad input at start gets one clear error, and nothing is started or half done.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

UniqueFd ListenOn(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Connections of an earlier test may still be in TIME_WAIT there.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
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

TEST(Start, CheckRefusesAFileThatDoesNotExistOrCannotBeRead) {
  const System system("process");
  const auto check = [](const std::string& file) {
    return RunCommand({Program("gocomet-controlplane"), "--config", file, "--check"});
  };
  const auto missing = check(system.config_file());
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.output, HasSubstr(Cat(system.config_file(), " does not exist")));
  const auto directory = check(system.directory());
  EXPECT_EQ(directory.exit_code, 2);
  EXPECT_THAT(directory.output, HasSubstr(system.directory()));
}

TEST(Start, AMissingConfigMeansTheDefaultsAndIsSaidAloud) {
  System system("process");
  // So that the defaults, whose ports others may use, are refused and nothing runs on them.
  const UniqueFd taken = ListenOn(7070);
  const auto started =
      RunCommand({Program("gocomet-controlplane"), "--config", system.config_file()});
  EXPECT_EQ(started.exit_code, 1);
  EXPECT_THAT(
      started.output,
      AllOf(HasSubstr(Cat("There is no ", system.config_file(), ": running on the defaults.")),
            HasSubstr("127.0.0.1:7070, wanted for gRPC, is in use by another program"),
            HasSubstr("`control-plane.grpc`")));
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

TEST(Start, EveryTakenPortIsNamedWithItsKeyAtOnceAndNothingIsStarted) {
  System system("process");
  const uint16_t balancer = system.balancer_ports().back();
  const auto worker = static_cast<uint16_t>(system.first_worker_port() + 1);
  const UniqueFd taken[] = {ListenOn(balancer), ListenOn(worker), ListenOn(system.http_port()),
                            ListenOn(static_cast<uint16_t>(system.http_port() - 1))};
  for (const UniqueFd& fd : taken) ASSERT_TRUE(fd.valid());
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  const auto says = [](const std::string& address, const char* what, const char* key) {
    return HasSubstr(Cat(address, ", wanted for ", what,
                         ", is in use by another program: stop that one, or change `", key, "`"));
  };
  EXPECT_THAT(system.output(),
              AllOf(says(Cat("127.0.0.1:", balancer), "balancer-1", "load-balancer-port"),
                    says(Cat("127.0.0.1:", worker), "worker-1", "worker-port"),
                    says(system.grpc_address(), "gRPC", "control-plane.grpc"),
                    says(system.http_address(), "HTTP", "control-plane.http")));
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

TEST(Start, AnAddressThatThisMachineDoesNotHaveIsNamed) {
  System system("process");
  system.keys["load-balancer-bind"] = "192.0.2.1";  // RFC 5737: for documentation only.
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  EXPECT_THAT(system.output(), AllOf(HasSubstr("192.0.2.1:"), HasSubstr("`load-balancer-bind`"),
                                     Not(HasSubstr("another program"))));
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

// Refused with words that hold `why`, the file and the key; and nothing is started.
void ExpectDatabaseRefused(System& system, const std::string& why) {
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  EXPECT_THAT(system.output(),
              AllOf(HasSubstr(why), HasSubstr(system.database()), HasSubstr("`stats-dir`")));
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

TEST(Start, ADatabaseThatIsNotOneIsRefusedAndLeftUntouched) {
  System system("process");
  std::ofstream(system.database()) << "these are notes, not a database\n";
  ExpectDatabaseRefused(system, "not an SQLite database");
  EXPECT_EQ(ReadFile(system.database()).value(), "these are notes, not a database\n");
}

TEST(Start, ADatabaseOfANewerVersionIsRefusedAndLeftUntouched) {
  System system("process");
  {
    System first("process");
    first.keys["worker"] = "0";
    first.keys["pool"] = "0";
    ASSERT_TRUE(first.Start().ok()) << first.output();
    first.Signal(SIGTERM);
    ASSERT_EQ(first.WaitForExit(), 0) << first.output();
    std::filesystem::copy_file(first.database(), system.database());
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(system.database().c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "PRAGMA user_version = 1000000", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  const std::string before = ReadFile(system.database()).value();
  ExpectDatabaseRefused(system, "newer GoComet");
  EXPECT_TRUE(ReadFile(system.database()).value() == before);
}

TEST(Start, ADirectoryInTheDatabasesPlaceIsRefused) {
  System system("process");
  std::filesystem::create_directory(system.database());
  ExpectDatabaseRefused(system, "is not a file");
}

// Takes connections, as the kernel does for it, and answers nothing.
class HangingEngine {
 public:
  explicit HangingEngine(const System& system) : path_(system.directory() + "/engine.sock") {
    const auto address = *Address::Parse(Cat("unix:", path_));
    socket_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(socket_.get(), address.socket_address(), address.socket_address_length()) != 0 ||
        ::listen(socket_.get(), 8) != 0) {
      socket_.Reset();
    }
  }
  std::string host() const { return Cat("unix://", path_); }
  bool valid() const { return socket_.valid(); }
  // Whether somebody asks it something.
  bool IsAsked() const {
    pollfd wait{socket_.get(), POLLIN, 0};
    return ::poll(&wait, 1, 0) == 1;
  }

 private:
  const std::string path_;
  UniqueFd socket_;
};

TEST(Start, ADockerEngineThatDoesNotAnswerIsNamedWhereDockerIsAskedFor) {
  System system("docker");
  const HangingEngine engine(system);
  ASSERT_TRUE(engine.valid());
  system.environment["DOCKER_HOST"] = engine.host();
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  EXPECT_THAT(system.output(), AllOf(HasSubstr("`runtime: docker`"), HasSubstr(engine.host()),
                                     HasSubstr("does not answer in time")));
}

TEST(Start, WithoutAnEngineThatAnswersWorkersAreProcessesAndTheReasonIsSaid) {
  System system("auto");
  const HangingEngine engine(system);
  ASSERT_TRUE(engine.valid());
  system.environment["DOCKER_HOST"] = engine.host();
  ASSERT_TRUE(system.Start().ok()) << system.output();
  EXPECT_EQ(system.ReadyWorkers(), 3U);
  EXPECT_THAT(system.output(), AllOf(HasSubstr("Runtime: process ("), HasSubstr(engine.host())));
}

TEST(Start, ADockerHostThatIsNoneIsNamed) {
  System system("docker");
  system.environment["DOCKER_HOST"] = "ssh://somewhere";
  system.Launch();
  EXPECT_EQ(system.WaitForExit(), 1);
  EXPECT_THAT(system.output(), AllOf(HasSubstr("DOCKER_HOST"), HasSubstr("ssh://somewhere")));
}

TEST(Start, ASignalBeforeAnythingIsStartedEndsItAtOnce) {
  System system("docker");
  const HangingEngine engine(system);
  ASSERT_TRUE(engine.valid());
  system.environment["DOCKER_HOST"] = engine.host();
  system.Launch();
  ASSERT_TRUE(WaitUntil([&] { return engine.IsAsked(); }));
  system.Signal(SIGINT);
  EXPECT_EQ(system.WaitForExit(), 0);
  EXPECT_THAT(system.output(), HasSubstr("Stopped before anything was started."));
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

bool SaysReloadFailed(const System& system, const std::string& why) {
  const auto events = system.Events();
  return std::any_of(events.begin(), events.end(), [&](const v1::Event& event) {
    return event.kind() == "ReloadFailed" && event.message().find(why) != std::string::npos;
  });
}

TEST(Start, AReloadThatOnlyARestartCanGiveIsRefusedAtItsPlace) {
  System system("process");
  ASSERT_TRUE(system.Start().ok()) << system.output();
  system.keys["worker"] = "4";
  std::string text = system.ConfigText();
  text.replace(text.find("runtime: process"), 16, "runtime: external");
  std::ofstream(system.config_file()) << text;
  system.Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil([&] {
    return SaysReloadFailed(system, ": runtime: is 'process' in the running control plane");
  })) << system.output();
  EXPECT_EQ(system.ReadyWorkers(), 3U) << "nothing of a refused file is applied";
}

TEST(Start, AReloadWithoutTheFileKeepsWhatRuns) {
  System system("process");
  system.keys["worker"] = "1";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  std::filesystem::remove(system.config_file());
  system.Signal(SIGHUP);
  EXPECT_TRUE(WaitUntil([&] { return SaysReloadFailed(system, system.config_file()); }))
      << system.output();
  EXPECT_EQ(system.ReadyWorkers(), 1U);
}

TEST(Start, AWatchedConfigFileIsReadAgainByItself) {
  System system("process");
  system.keys["worker"] = "1";
  ASSERT_TRUE(system.Start({"--watch-config"}).ok()) << system.output();
  system.keys["worker"] = "2";
  system.WriteConfig();
  EXPECT_TRUE(WaitUntil([&] { return system.ReadyWorkers() == 2; })) << system.output();
  std::ofstream(system.config_file()) << "worker: many\n";
  EXPECT_TRUE(WaitUntil([&] { return SaysReloadFailed(system, "worker: expected"); }))
      << system.output();
  EXPECT_EQ(system.ReadyWorkers(), 2U) << "a bad file never touches what runs";
  system.keys["worker"] = "3";
  system.WriteConfig();
  EXPECT_TRUE(WaitUntil([&] { return system.ReadyWorkers() == 3; })) << system.output();
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

using StartOnEachRuntime = OnEachRuntime;

TEST_P(StartOnEachRuntime, SystemsRunSideBySideAndEndingOneLeavesTheOther) {
  System one(GetParam());
  System two(GetParam());
  ASSERT_TRUE(one.Start().ok()) << one.output();
  ASSERT_TRUE(two.Start().ok()) << two.output();
  EXPECT_EQ(one.ReadyWorkers(), 3U);
  EXPECT_EQ(two.ReadyWorkers(), 3U);
  one.Signal(SIGTERM);
  EXPECT_EQ(one.WaitForExit(), 0) << one.output();
  EXPECT_THAT(one.LeftOvers(), IsEmpty());
  EXPECT_EQ(two.ReadyWorkers(), 3U);
  EXPECT_TRUE(HttpBurst(two.balancer_ports(), kHello, 20, seconds(20)).ok());
  EXPECT_THAT(Events(two), AllOf(Not(HasSubstr("Crashed")), Not(HasSubstr("Orphan"))));
}

TEST_P(StartOnEachRuntime, DetachOnExitLeavesEverythingRunningForTheNextStart) {
  System system(GetParam());
  ASSERT_TRUE(system.Start({"--detach-on-exit"}).ok()) << system.output();
  const auto before = system.Workers();
  system.Signal(SIGTERM);
  ASSERT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_TRUE(HttpGet(system.balancer_ports().front(), kHello).ok());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_EQ(system.Workers().size(), before.size());
  EXPECT_EQ(system.Workers().front().id(), before.front().id());
}

TEST_P(StartOnEachRuntime, SigUsr2LeavesEverythingRunningForTheNextStart) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto before = system.Workers();
  system.Signal(SIGUSR2);
  ASSERT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_TRUE(HttpGet(system.balancer_ports().front(), kHello).ok());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_EQ(system.Workers().size(), before.size());
  EXPECT_EQ(system.Workers().front().id(), before.front().id());
}

GOCOMET_ON_EACH_RUNTIME(StartOnEachRuntime);

}  // namespace
}  // namespace gocomet::testing
