#include "controlplane/runtime/child_processes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <future>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::HasSubstr;

class ChildProcessesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = ChildProcesses::Create();
    ASSERT_TRUE(made.ok()) << made.status();
    children_ = *std::move(made);
  }

  ProcessLaunch Shell(const std::string& script) const {
    ProcessLaunch launch;
    launch.program = "/bin/sh";
    launch.arguments = {"-c", script};
    launch.working_directory = directory_.path();
    launch.stdout_file = directory_.path() + "/out";
    launch.stderr_file = directory_.path() + "/err";
    return launch;
  }

  ChildProcesses::OnExit ToPromise() {
    return [this](const ProcessIdentity&, const ProcessExit& exit) { ended_.set_value(exit); };
  }

  ProcessIdentity MustStart(const ProcessLaunch& launch) {
    const auto identity = children_->Start(launch, ToPromise());
    EXPECT_TRUE(identity.ok()) << identity.status();
    return identity.ok() ? *identity : ProcessIdentity{};
  }

  ProcessExit Exit() {
    auto future = ended_.get_future();
    if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
    ADD_FAILURE() << "no exit was seen";
    return {};
  }

  std::string Output() const { return ReadFile(directory_.path() + "/out").value_or(""); }

  TemporaryDirectory directory_;
  std::promise<ProcessExit> ended_;
  std::unique_ptr<ChildProcesses> children_;
};

TEST_F(ChildProcessesTest, TellsTheExitCode) {
  MustStart(Shell("exit 7"));
  const ProcessExit exit = Exit();
  EXPECT_TRUE(exit.known);
  EXPECT_EQ(exit.code, 7);
  EXPECT_EQ(exit.signal, 0);
}

TEST_F(ChildProcessesTest, TellsTheSignal) {
  const ProcessIdentity process = MustStart(Shell("exec sleep 1000"));
  EXPECT_TRUE(children_->Signal(process, SIGKILL).ok());
  const ProcessExit exit = Exit();
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.code, -1);
  EXPECT_FALSE(children_->Watches(process));
}

TEST_F(ChildProcessesTest, AppendsBothOutputsToTheirFiles) {
  directory_.Write("out", "before\n");
  MustStart(Shell("echo out; echo err >&2; read line || echo no input"));
  Exit();
  EXPECT_EQ(Output(), "before\nout\nno input\n");
  EXPECT_EQ(*ReadFile(directory_.path() + "/err"), "err\n");
}

TEST_F(ChildProcessesTest, RunsInItsDirectoryAndInASessionOfItsOwn) {
  const ProcessIdentity process = MustStart(Shell("pwd; exec sleep 1000"));
  EXPECT_EQ(::getsid(process.pid), process.pid);
  EXPECT_TRUE(Eventually([&] { return Output() == directory_.path() + "\n"; }));
  EXPECT_TRUE(children_->Signal(process, SIGKILL).ok());
  Exit();
}

TEST_F(ChildProcessesTest, ChildrenGetNoDescriptorOfOurs) {
  const int leak = ::dup(STDERR_FILENO);  // Without O_CLOEXEC.
  ProcessLaunch launch = Shell("");
  launch.program = "/bin/ls";
  launch.arguments = {"/proc/self/fd"};
  MustStart(launch);
  Exit();
  ::close(leak);
  EXPECT_EQ(Output(), "0\n1\n2\n3\n") << "3 is the directory that ls reads";
}

TEST_F(ChildProcessesTest, SignalHandlingIsTheStandardOneAgain) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto handler = ::signal(SIGPIPE, SIG_IGN);
  MustStart(Shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  ::signal(SIGPIPE, handler);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  Exit();
  const std::string output = Output();
  constexpr std::string_view kBeforeIgnored = "SigBlk:\t0000000000000000\nSigIgn:\t";
  ASSERT_THAT(output, ::testing::StartsWith(kBeforeIgnored));
  // The C library keeps 32 and 33 to itself: its posix_spawn (make uses it) leaves them ignored in
  // everything below, and its sigaction refuses them.
  constexpr std::uint64_t kOfTheLibrary = 0b11ULL << 31;
  EXPECT_EQ(std::stoull(output.substr(kBeforeIgnored.size()), nullptr, 16) & ~kOfTheLibrary, 0ULL)
      << output;
}

TEST_F(ChildProcessesTest, AProgramThatCannotRunIsAnErrorOfStartAndNoExit) {
  ProcessLaunch launch = Shell("");
  launch.program = directory_.path() + "/missing";
  const auto missing = children_->Start(launch, ToPromise());
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound) << missing.status();
  EXPECT_THAT(missing.status().ToString(), HasSubstr(launch.program));
  launch.program = directory_.Write("text", "not a program", 0700);
  EXPECT_FALSE(children_->Start(launch, ToPromise()).ok());
  launch.program = directory_.Write("locked", "#!/bin/sh\n", 0600);
  EXPECT_EQ(children_->Start(launch, ToPromise()).status().code(),
            absl::StatusCode::kPermissionDenied);
  launch = Shell("");
  launch.working_directory = "/nonexistent";
  EXPECT_EQ(children_->Start(launch, ToPromise()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ChildProcessesTest, ProcessesOutliveTheObjectAndAreAdoptedByTheNext) {
  const ProcessIdentity process = MustStart(Shell("exec sleep 1000"));
  SetUp();
  ASSERT_TRUE(ProcessExists(process.pid));
  const absl::Status adopted = children_->Adopt(process, ToPromise());
  ASSERT_TRUE(adopted.ok()) << adopted;
  EXPECT_TRUE(absl::IsAlreadyExists(children_->Adopt(process, nullptr)));
  EXPECT_TRUE(children_->Signal(process, SIGTERM).ok());
  Exit();
}

TEST_F(ChildProcessesTest, OfAProcessThatIsNotOurChildTheEndIsSeenAndNotTheCode) {
  // Its child, in a session of its own, goes to the system's first process.
  MustStart(Shell("{ setsid sh -c 'echo $$; exec sleep 1000' & } | { read pid; echo $pid; }"));
  Exit();
  const auto grandchild = IdentifyProcess(static_cast<pid_t>(std::stoi(Output())));
  ASSERT_TRUE(grandchild.ok()) << grandchild.status();
  ended_ = {};
  ASSERT_TRUE(children_->Adopt(*grandchild, ToPromise()).ok());
  EXPECT_TRUE(children_->Signal(*grandchild, SIGKILL).ok());
  EXPECT_FALSE(Exit().known);
}

TEST_F(ChildProcessesTest, ANumberThatAnotherProcessHasNowIsNotAdopted) {
  auto other = IdentifyProcess(::getpid());
  ASSERT_TRUE(other.ok());
  other->start_ticks -= 1;
  EXPECT_TRUE(absl::IsNotFound(children_->Adopt(*other, nullptr)));
  EXPECT_TRUE(absl::IsNotFound(children_->Adopt({0, 0}, nullptr)));
  EXPECT_TRUE(absl::IsNotFound(children_->Signal(*other, SIGKILL)));
}

TEST_F(ChildProcessesTest, ManyThatEndAtOnceAreEachToldOnce) {
  constexpr int kCount = 50;
  std::atomic<int> ended{0};
  for (int i = 0; i < kCount; ++i) {
    const auto started = children_->Start(
        Shell("exit 0"), [&](const ProcessIdentity&, const ProcessExit&) { ++ended; });
    EXPECT_TRUE(started.ok()) << started.status();
  }
  EXPECT_TRUE(Eventually([&] { return ended >= kCount; }));
  children_.reset();
  EXPECT_EQ(ended, kCount);
}

TEST(ProcessIdentityTest, ReadsTheStartTimeBehindAnyName) {
  const std::string rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21";
  EXPECT_EQ(ParseProcessStat("42 (sh) " + rest)->start_ticks, 987654u);
  EXPECT_EQ(ParseProcessStat("42 (a) b (c d)) " + rest)->start_ticks, 987654u);
  for (const char* text : {"", "42", "42 (sh)", "42 (sh) S 1 2",
                           "42 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x"}) {
    EXPECT_FALSE(ParseProcessStat(text).ok()) << text;
  }
}

TEST(ProcessIdentityTest, FindsProcessesByTheirArguments) {
  const auto self = IdentifyProcess(::getpid());
  ASSERT_TRUE(self.ok());
  EXPECT_GT(self->start_ticks, 0u);
  EXPECT_TRUE(FindProcesses({{"--no-such-flag", "x"}}).empty());
  EXPECT_FALSE(BootId().empty());
}

}  // namespace
}  // namespace gocomet::controlplane
