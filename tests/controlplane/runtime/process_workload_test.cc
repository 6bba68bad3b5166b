// Services with a command of their own as processes: programs that know nothing of GoComet.
#include <atomic>
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "controlplane/runtime/process_driver.h"
#include "controlplane/runtime/process_identity.h"
#include "controlplane/runtime/process_record.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ProcessWorkload : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("GOCOMET_TOKEN", "secret", 1);
    RestartControlPlane();
  }

  void TearDown() override {
    if (driver_ == nullptr) return;
    const auto workers = List(*driver_);
    ASSERT_TRUE(workers.ok());
    for (const RuntimeWorker& worker : *workers) {
      EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
    }
  }

  void RestartControlPlane() {
    driver_.reset();
    ProcessDriverOptions options;
    options.worker_program = "/nonexistent/gocomet-worker";
    options.workers_directory = state_.path() + "/workers";
    options.report_socket = state_.path() + "/report.sock";
    options.config_directory = state_.path();
    auto made = MakeProcessDriver(options);
    ASSERT_TRUE(made.ok()) << made.status();
    driver_ = *std::move(made);
  }

  static WorkerLaunch Command(std::vector<std::string> command) {
    WorkerLaunch launch = NewLaunch(3);
    launch.service = "web";
    launch.workload.command = std::move(command);
    return launch;
  }
  static WorkerLaunch Shell(const std::string& script) { return Command({"sh", "-c", script}); }

  RuntimeWorker MustStart(const WorkerLaunch& launch) {
    const auto worker = Start(*driver_, launch);
    EXPECT_TRUE(worker.ok()) << worker.status();
    return worker.ok() ? *worker : RuntimeWorker{};
  }

  // What a worker that ends by itself has said.
  std::vector<std::string> Said(const WorkerLaunch& launch) {
    MustStart(launch);
    EXPECT_TRUE(Eventually([&] { return !Listed(*driver_, launch.instance).running; }));
    return LogLines(*driver_, launch.instance, -1);
  }

  absl::Status Refusal(const WorkerLaunch& launch) {
    const absl::Status status = Start(*driver_, launch).status();
    EXPECT_EQ(Listed(*driver_, launch.instance).handle, "") << "something is left";
    EXPECT_FALSE(std::filesystem::exists(Cat(state_.path(), "/workers/", launch.instance)));
    return status;
  }

  TemporaryDirectory state_;
  std::unique_ptr<RuntimeDriver> driver_;
};

TEST_F(ProcessWorkload, IsFoundInThePath) {
  EXPECT_THAT(Said(Command({"echo", "hello", "two words"})), ElementsAre("hello two words"));
}

TEST_F(ProcessWorkload, IsToldItsPortInArgumentsAndEnvironment) {
  WorkerLaunch launch = Command({"sh", "-c", "echo $PORT $URL $0 $1", "--port={port}", "{port}"});
  launch.workload.environment = {{"URL", "http://127.0.0.1:{port}/{port}"}};
  const std::string port = Cat(launch.port);
  EXPECT_THAT(Said(launch), ElementsAre(Cat(port, " http://127.0.0.1:", port, "/", port,
                                            " --port=", port, " ", port)));
}

TEST_F(ProcessWorkload, MaySetPortToSomethingElse) {
  WorkerLaunch launch = Shell("echo $PORT");
  launch.workload.environment = {{"PORT", "x{port}"}};
  EXPECT_THAT(Said(launch), ElementsAre(Cat("x", launch.port)));
}

TEST_F(ProcessWorkload, GetsTheVariablesOfItsFilesAndItsOwn) {
  state_.Write("web.env", "A=1\nB=1\n");
  WorkerLaunch launch = Shell("echo $A $B");
  launch.workload.environment_files = {"web.env"};
  launch.workload.environment = {{"B", "2"}};
  EXPECT_THAT(Said(launch), ElementsAre("1 2"));
}

TEST_F(ProcessWorkload, KnowsWhoItIsAndNoSecretOfOurs) {
  const std::vector<std::string> said = Said(Command({"env"}));
  EXPECT_THAT(said, Contains("GOCOMET_SERVICE=web"));
  EXPECT_THAT(said, Contains("GOCOMET_ORDINAL=3"));
  EXPECT_THAT(said, Not(Contains(HasSubstr("GOCOMET_TOKEN"))));
  EXPECT_THAT(said, Contains(HasSubstr("PATH=")));
}

TEST_F(ProcessWorkload, StartsInTheConfigsDirectoryOrItsOwn) {
  EXPECT_THAT(Said(Command({"pwd"})), ElementsAre(state_.path()));
  WorkerLaunch launch = Command({"./program"});
  launch.workload.working_directory = "sub";
  std::filesystem::create_directory(state_.path() + "/sub");
  state_.Write("sub/program", "#!/bin/sh\npwd\n", 0700);
  EXPECT_THAT(Said(launch), ElementsAre(state_.path() + "/sub"));
}

TEST_F(ProcessWorkload, WithAProgramThatIsMissingIsRefusedInWords) {
  const absl::Status missing = Refusal(Command({"no-such-program"}));
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.ToString(),
              AllOf(HasSubstr("the service web"), HasSubstr("'no-such-program' in PATH"),
                    HasSubstr("install it")));
  EXPECT_THAT(Refusal(Command({"./gone"})).ToString(),
              HasSubstr(Cat("no program ", state_.path(), "/gone")));
}

TEST_F(ProcessWorkload, WithAProgramThatMayNotBeExecutedIsRefusedInWords) {
  const std::string path = state_.Write("program", "#!/bin/sh\n", 0600);
  const absl::Status status = Refusal(Command({"./program"}));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(status.ToString(), HasSubstr(Cat("chmod +x ", path)));
  EXPECT_THAT(Refusal(Command({"./workers"})).ToString(), HasSubstr("no program"));
}

TEST_F(ProcessWorkload, WithAScriptThatHasNoFirstLineIsRefusedInWords) {
  state_.Write("program", "echo hello\n", 0700);
  EXPECT_THAT(Refusal(Command({"./program"})).ToString(), HasSubstr("#!/bin/sh"));
}

TEST_F(ProcessWorkload, WithADirectoryOrFileThatIsMissingIsRefusedInWords) {
  WorkerLaunch launch = Command({"pwd"});
  launch.workload.working_directory = "nowhere";
  EXPECT_THAT(Refusal(launch).ToString(), HasSubstr(Cat(state_.path(), "/nowhere")));
  launch = Command({"pwd"});
  launch.workload.environment_files = {"no.env"};
  EXPECT_THAT(Refusal(launch).ToString(), HasSubstr(Cat(state_.path(), "/no.env")));
}

TEST_F(ProcessWorkload, WithAnImageAloneIsRefused) {
  WorkerLaunch launch = Command({});
  launch.workload.image = "nginx:1.27";
  EXPECT_THAT(Refusal(launch).ToString(), HasSubstr("runtime: docker"));
}

TEST_F(ProcessWorkload, IsReachedAtItsPortByBalancersToo) {
  const WorkerLaunch launch = Command({"sleep", "1000"});
  const RuntimeWorker worker = MustStart(launch);
  EXPECT_EQ(worker.address, Cat("127.0.0.1:", launch.port));
  EXPECT_EQ(worker.balancer_address, worker.address);
  EXPECT_THAT(worker.image, HasSubstr("/sleep"));
}

TEST_F(ProcessWorkload, HasAnIncarnationFromItsStart) {
  const RuntimeWorker first = MustStart(Command({"sleep", "1000"}));
  const RuntimeWorker second = MustStart(Command({"sleep", "1000"}));
  EXPECT_NE(first.incarnation, 0u);
  EXPECT_NE(first.incarnation, second.incarnation);
  RestartControlPlane();
  EXPECT_EQ(Listed(*driver_, first.instance).incarnation, first.incarnation);
}

TEST_F(ProcessWorkload, StopsBySignalOfItsOwn) {
  WorkerLaunch launch = Shell(
      "trap 'echo quit; exit 0' QUIT; trap '' TERM; echo on; "
      "while :; do sleep 0.02; done");
  launch.workload.stop_signal = "SIGQUIT";
  const RuntimeWorker worker = MustStart(launch);
  ASSERT_TRUE(Eventually([&] { return LogLines(*driver_, worker.handle, -1).size() == 1; }));
  RestartControlPlane();  // Kept with the worker.
  EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
  EXPECT_THAT(LogLines(*driver_, worker.handle, -1), ElementsAre("on", "quit"));
}

TEST_F(ProcessWorkload, LeavesNoChildrenBehind) {
  for (const bool adopted : {false, true}) {
    const RuntimeWorker worker =
        MustStart(Shell("sleep 1000 & echo $!; echo started; exec sleep 1000"));
    ASSERT_TRUE(Eventually([&] { return LogLines(*driver_, worker.handle, -1).size() == 2; }));
    const pid_t child = std::stoi(LogLines(*driver_, worker.handle, -1).front());
    EXPECT_TRUE(ProcessExists(child));
    if (adopted) RestartControlPlane();
    EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
    EXPECT_TRUE(Eventually([&] { return !IdentifyProcess(child).ok(); })) << "adopted " << adopted;
  }
}

TEST_F(ProcessWorkload, ThatEndsByItselfLeavesNoChildrenBehind) {
  const WorkerLaunch launch = Shell("sleep 1000 & echo $!");
  const std::vector<std::string> said = Said(launch);
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_TRUE(Eventually([&] { return !IdentifyProcess(std::stoi(said.front())).ok(); }));
}

TEST_F(ProcessWorkload, HasNoMoreMemoryThanItsLimit) {
  // `dd` asks for a buffer of this size.
  WorkerLaunch launch = Command({"dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1"});
  launch.workload.resources.memory_bytes = 64 << 20;
  const std::vector<std::string> said = Said(launch);
  EXPECT_EQ(Listed(*driver_, launch.instance).exit->code, 1);
  EXPECT_THAT(said, Contains(HasSubstr("memory")));
  launch.instance = NewLaunch().instance;
  launch.workload.resources.memory_bytes = 0;
  Said(launch);
  EXPECT_EQ(Listed(*driver_, launch.instance).exit->code, 0);
}

TEST_F(ProcessWorkload, IsFoundByAControlPlaneThatDiedBeforeItWroteItsNumberDown) {
  const WorkerLaunch launch = Shell("sleep 1000 & wait");
  const RuntimeWorker worker = MustStart(launch);
  ASSERT_GT(worker.pid, 0);
  driver_.reset();
  const std::string file = Cat(state_.path(), "/workers/", launch.instance, "/process.json");
  auto record = ParseProcessRecord(*ReadFile(file));
  ASSERT_TRUE(record.ok()) << record.status();
  record->process = {};
  ASSERT_TRUE(WriteFileAtomically(file, ToJson(*record), 0600).ok());
  RestartControlPlane();
  EXPECT_EQ(Listed(*driver_, launch.instance).pid, worker.pid);
  EXPECT_TRUE(Listed(*driver_, launch.instance).running);
}

TEST_F(ProcessWorkload, GetsNoToken) {
  const WorkerLaunch launch = Command({"sleep", "1000"});
  MustStart(launch);
  EXPECT_FALSE(std::filesystem::exists(Cat(state_.path(), "/workers/", launch.instance, "/token")));
}

}  // namespace
}  // namespace gocomet::controlplane
