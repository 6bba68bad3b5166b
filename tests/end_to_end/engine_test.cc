// A Docker engine that hangs or restarts under traffic: requests flow on, and no worker is thought
// dead for it. Only with an engine of scripts/docker-engine.sh, which nobody else needs.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kOwnEngine = "unix:///tmp/gocomet-docker.";
constexpr std::string_view kUnixScheme = "unix://";

// Who listens on a Unix socket.
pid_t ListenerOf(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return 0;
  }
  ucred peer{};
  socklen_t length = sizeof(peer);
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

class EngineUnderTraffic : public OnEachRuntime {
 protected:
  void SetUp() override {
    OnEachRuntime::SetUp();
    if (IsSkipped()) return;
    const char* host = std::getenv("DOCKER_HOST");
    if (host == nullptr || !std::string_view(host).starts_with(kOwnEngine)) {
      GTEST_SKIP() << "the engine is not one of scripts/docker-engine.sh";
    }
    pid_ = ListenerOf(std::string(host).substr(kUnixScheme.size()));
    ASSERT_GT(pid_, 1);
  }

  void TearDown() override {
    if (pid_ > 1) ::kill(pid_, SIGCONT);
  }

  // Ends it, which leaves the containers running, and starts it as it was started.
  void EndEngine() {
    std::istringstream text(ReadFile(Cat("/proc/", pid_, "/cmdline")).value_or(""));
    command_ = {"setsid", "--fork"};  // It is to outlive the test.
    for (std::string word; std::getline(text, word, '\0');) command_.push_back(word);
    ::kill(pid_, SIGTERM);
    EXPECT_TRUE(WaitUntil([&] { return ::kill(pid_, 0) != 0; }, seconds(30)));
    pid_ = 0;
  }
  void StartEngine() const {
    EXPECT_EQ(RunCommand(command_).exit_code, 0);
    EXPECT_TRUE(WaitUntil([] { return WhyNot("docker").empty(); }, seconds(40)));
  }

  static bool HasEvent(const System& system, const std::string& kind) {
    return Events(system).find(Cat(" ", kind, ": ")) != std::string::npos;
  }

  pid_t pid_ = 0;
  std::vector<std::string> command_;
};

TEST_P(EngineUnderTraffic, AnEngineThatHangsCostsNothingAndWhatDiedMeanwhileIsReplaced) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), kHello, 4);
  ASSERT_EQ(::kill(pid_, SIGSTOP), 0);
  EXPECT_TRUE(WaitUntil([&] { return HasEvent(system, "RuntimeUnavailable"); }, seconds(40)));
  EXPECT_THAT(Events(system), Not(HasSubstr("WorkerCrashed")));
  EXPECT_EQ(system.ReadyWorkers(), 3u);
  const auto before = system.Workers();
  ASSERT_EQ(before.size(), 3u);
  ::kill(static_cast<pid_t>(before.front().status().pid()), SIGKILL);
  const uint64_t answered = load.answered();
  EXPECT_TRUE(WaitUntil([&] { return load.answered() > answered + 200; }));
  ASSERT_EQ(::kill(pid_, SIGCONT), 0);
  EXPECT_TRUE(WaitUntil([&] { return HasEvent(system, "RuntimeAvailable"); }, seconds(40)));
  EXPECT_TRUE(WaitUntil(
      [&] {
        const auto now = system.Workers();
        return system.ReadyWorkers() == 3 &&
               std::none_of(now.begin(), now.end(),
                            [&](const auto& w) { return w.id() == before.front().id(); });
      },
      seconds(40)))
      << Events(system);
  EXPECT_THAT(load.Stop().unexpected, IsEmpty()) << Events(system);
}

TEST_P(EngineUnderTraffic, AnEngineThatRestartsFindsItsWorkersAgain) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto before = system.Workers();
  Load load(system.balancer_ports(), kHello, 4);
  EndEngine();
  EXPECT_TRUE(WaitUntil([&] { return HasEvent(system, "RuntimeUnavailable"); }, seconds(40)));
  const uint64_t answered = load.answered();
  EXPECT_TRUE(WaitUntil([&] { return load.answered() > answered + 200; }));
  StartEngine();
  EXPECT_TRUE(WaitUntil([&] { return HasEvent(system, "RuntimeAvailable"); }, seconds(40)));
  EXPECT_TRUE(system.WaitUntilReady().ok()) << Events(system);
  EXPECT_THAT(load.Stop().unexpected, IsEmpty()) << Events(system);
  EXPECT_THAT(Events(system), Not(HasSubstr("WorkerCrashed")));
  const auto after = system.Workers();
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i].id(), before[i].id());
  system.Signal(SIGTERM);
  EXPECT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(OnRuntime, EngineUnderTraffic, ::testing::Values("docker"),
                         [](const auto& runtime) { return std::string(runtime.param); });

}  // namespace
}  // namespace gocomet::testing
