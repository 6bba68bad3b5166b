// What only the process driver has to do: records, crashes at bad moments, stubborn programs,
// files.
#include "controlplane/runtime/process_driver.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "controlplane/runtime/child_processes.h"
#include "controlplane/runtime/process_record.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSleeps[] = "#!/bin/sh\nwhile :; do sleep 0.05; done\n";

class ProcessDriverTest : public ::testing::Test {
 protected:
  // The program gets the same arguments as the real worker.
  void Run(const std::string& script) {
    program_ = state_.Write("program", script, 0700);
    RestartControlPlane();
  }

  void RestartControlPlane() {
    driver_.reset();
    ProcessDriverOptions options;
    options.worker_program = program_;
    options.workers_directory = workers();
    options.report_socket = state_.path() + "/report.sock";
    auto made = MakeProcessDriver(options);
    ASSERT_TRUE(made.ok()) << made.status();
    driver_ = *std::move(made);
  }

  void TearDown() override {
    if (driver_ == nullptr) return;
    const auto workers = List(*driver_);
    ASSERT_TRUE(workers.ok());
    for (const RuntimeWorker& worker : *workers) {
      EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
    }
  }

  RuntimeWorker MustStart(const WorkerLaunch& launch) {
    const auto worker = Start(*driver_, launch);
    EXPECT_TRUE(worker.ok()) << worker.status();
    return worker.ok() ? *worker : RuntimeWorker{};
  }

  std::string workers() const { return state_.path() + "/workers"; }
  std::string RecordFile(const std::string& instance) const {
    return Cat(workers(), "/", instance, "/process.json");
  }
  ProcessRecord Record(const std::string& instance) const {
    const auto text = ReadFile(RecordFile(instance));
    EXPECT_TRUE(text.ok()) << text.status();
    auto record = ParseProcessRecord(text.value_or(""));
    EXPECT_TRUE(record.ok()) << record.status();
    return record.value_or(ProcessRecord{});
  }
  void WriteRecord(const ProcessRecord& record) const {
    const absl::Status written =
        WriteFileAtomically(RecordFile(record.instance), ToJson(record), 0600);
    EXPECT_TRUE(written.ok()) << written;
  }

  static std::vector<std::string> FilesBelow(const std::string& directory) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      files.push_back(entry.path().string());
    }
    return files;
  }

  TemporaryDirectory state_;
  std::string program_;
  std::unique_ptr<RuntimeDriver> driver_;
};

TEST_F(ProcessDriverTest, GivesTheWorkerItsArgumentsAndItsToken) {
  Run("#!/bin/sh\necho \"$@\"\nexec sleep 1000\n");
  WorkerLaunch launch = NewLaunch();
  launch.demo = {std::chrono::milliseconds(250), 7};
  const RuntimeWorker worker = MustStart(launch);
  EXPECT_EQ(worker.id, launch.instance);
  EXPECT_TRUE(Eventually([&] { return !LogLines(*driver_, worker.handle, -1).empty(); }));
  const std::string directory = Cat(workers(), "/", launch.instance);
  EXPECT_THAT(LogLines(*driver_, worker.handle, -1),
              ElementsAre(Cat("--bind 127.0.0.1 --port ", launch.port, " --id ", launch.instance,
                              " --instance ", launch.instance,
                              " --control-plane unix:", state_.path(), "/report.sock --token-file ",
                              directory, "/token --avg-delay 250 --failure 7 --unix-socket ",
                              directory, "/http.sock")));
  EXPECT_EQ(*ReadFile(directory + "/token"), "secret");
  EXPECT_EQ(worker.balancer_address, Cat("unix:", directory, "/http.sock"));
}

TEST_F(ProcessDriverTest, WithoutRoomForASocketsPathBalancersUseThePort) {
  program_ = state_.Write("program", kSleeps, 0700);
  ProcessDriverOptions options;
  options.worker_program = program_;
  options.workers_directory = Cat(state_.path(), "/", std::string(90, 'x'));
  options.report_socket = state_.path() + "/report.sock";
  driver_ = *MakeProcessDriver(options);
  const RuntimeWorker worker = MustStart(NewLaunch());
  EXPECT_EQ(worker.balancer_address, worker.address);
}

TEST_F(ProcessDriverTest, AProgramThatCannotRunIsAnErrorAndLeavesNothing) {
  Run(kSleeps);
  std::filesystem::remove(program_);
  const auto refused = Start(*driver_, NewLaunch());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound) << refused.status();
  EXPECT_TRUE(std::filesystem::is_empty(workers()));
  EXPECT_TRUE(List(*driver_)->empty());
  EXPECT_THAT(Prepare(*driver_).ToString(), HasSubstr(program_));
}

TEST_F(ProcessDriverTest, RefusesAnInstanceThatIsNoName) {
  Run(kSleeps);
  WorkerLaunch launch = NewLaunch();
  launch.instance = "../../escape";
  EXPECT_EQ(Start(*driver_, launch).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ProcessDriverTest, AStubbornWorkerIsKilledAfterItsGrace) {
  Run("#!/bin/sh\ntrap '' TERM\necho ready\nwhile :; do sleep 0.05; done\n");
  const RuntimeWorker worker = MustStart(NewLaunch());
  EXPECT_TRUE(Eventually([&] { return !LogLines(*driver_, worker.handle, -1).empty(); }));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(Stop(*driver_, worker.handle, std::chrono::milliseconds(100)).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100));
  EXPECT_EQ(Listed(*driver_, worker.instance).exit->signal, SIGKILL);
}

TEST_F(ProcessDriverTest, AWorkerThatFailsIsListedWithItsCodeAlsoAfterARestart) {
  Run("#!/bin/sh\necho going down >&2\nexit 3\n");
  const RuntimeWorker worker = MustStart(NewLaunch());
  EXPECT_TRUE(Eventually([&] { return !Listed(*driver_, worker.instance).running; }));
  EXPECT_EQ(Listed(*driver_, worker.instance).exit->code, 3);
  EXPECT_THAT(LogLines(*driver_, worker.handle, 5), ElementsAre("going down"));
  RestartControlPlane();
  EXPECT_EQ(Listed(*driver_, worker.instance).exit->code, 3);
}

TEST_F(ProcessDriverTest, FindsAWorkerWhoseNumberWasNeverWrittenDown) {
  Run(kSleeps);
  const RuntimeWorker worker = MustStart(NewLaunch());
  ProcessRecord record = Record(worker.instance);
  record.process = {};  // As it was before the start.
  WriteRecord(record);
  RestartControlPlane();
  const RuntimeWorker found = Listed(*driver_, worker.instance);
  EXPECT_TRUE(found.running);
  EXPECT_EQ(found.pid, worker.pid);
  EXPECT_EQ(Record(worker.instance).process.pid, worker.pid) << "written down now";
}

TEST_F(ProcessDriverTest, AWorkerThatWasNeverStartedIsListedAsEnded) {
  Run(kSleeps);
  const RuntimeWorker worker = MustStart(NewLaunch());
  ProcessRecord record = Record(worker.instance);
  ASSERT_TRUE(Remove(*driver_, worker.handle).ok());
  record.process = {};
  ASSERT_TRUE(MakeDirectories(Cat(workers(), "/", worker.instance), 0700).ok());
  WriteRecord(record);
  RestartControlPlane();
  const RuntimeWorker listed = Listed(*driver_, worker.instance);
  EXPECT_FALSE(listed.running);
  EXPECT_THAT(listed.exit->error, HasSubstr("never started"));
}

TEST_F(ProcessDriverTest, AWorkerThatEndedUnwatchedIsListedAsEndedInAnUnknownWay) {
  Run(kSleeps);
  const RuntimeWorker worker = MustStart(NewLaunch());
  driver_.reset();
  ASSERT_EQ(::kill(static_cast<pid_t>(worker.pid), SIGKILL), 0);
  ASSERT_EQ(::waitpid(static_cast<pid_t>(worker.pid), nullptr, 0), worker.pid);
  RestartControlPlane();
  const RuntimeWorker listed = Listed(*driver_, worker.instance);
  EXPECT_FALSE(listed.running);
  EXPECT_EQ(listed.exit->code, -1);
  EXPECT_EQ(listed.exit->signal, 0);
  EXPECT_FALSE(listed.exit->error.empty());
}

TEST_F(ProcessDriverTest, ANumberThatAnotherProcessHasNowIsNeverTouched) {
  Run(kSleeps);
  const RuntimeWorker worker = MustStart(NewLaunch());
  ProcessRecord record = Record(worker.instance);
  const ProcessIdentity own = record.process;
  record.process = {::getpid(), 1};
  ASSERT_TRUE(Stop(*driver_, worker.handle).ok());
  record.exit.reset();
  driver_.reset();
  WriteRecord(record);
  RestartControlPlane();
  EXPECT_FALSE(Listed(*driver_, worker.instance).running);
  EXPECT_TRUE(Remove(*driver_, worker.handle).ok()) << "and this test goes on";
  EXPECT_FALSE(ProcessExists(own.pid));
}

TEST_F(ProcessDriverTest, NumbersFromBeforeTheMachinesRestartMeanNothing) {
  Run(kSleeps);
  const RuntimeWorker worker = MustStart(NewLaunch());
  ProcessRecord record = Record(worker.instance);
  driver_.reset();
  record.boot_id = "another";
  WriteRecord(record);
  RestartControlPlane();
  EXPECT_FALSE(Listed(*driver_, worker.instance).running);
  EXPECT_TRUE(ProcessExists(worker.pid));
  ::kill(static_cast<pid_t>(worker.pid), SIGKILL);
  ::waitpid(static_cast<pid_t>(worker.pid), nullptr, 0);
}

TEST_F(ProcessDriverTest, AWorkerWithADamagedRecordIsEndedAndListedForItsRemoval) {
  Run(kSleeps);
  const RuntimeWorker worker = MustStart(NewLaunch());
  driver_.reset();
  ASSERT_TRUE(WriteFileAtomically(RecordFile(worker.instance), "{\"instance\":", 0600).ok());
  RestartControlPlane();
  const RuntimeWorker listed = Listed(*driver_, worker.instance);
  EXPECT_EQ(listed.handle, worker.handle);
  EXPECT_FALSE(listed.running);
  EXPECT_THAT(listed.exit->error, HasSubstr("damaged"));
  EXPECT_TRUE(Eventually([&] { return !ProcessExists(worker.pid); }));
  EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
  EXPECT_TRUE(std::filesystem::is_empty(workers()));
}

TEST_F(ProcessDriverTest, DirectoriesOfOthersAreLeftAlone) {
  Run(kSleeps);
  ASSERT_TRUE(MakeDirectories(workers() + "/notes", 0700).ok());
  ASSERT_TRUE(MakeDirectories(workers() + "/0123456789ab", 0700).ok());
  RestartControlPlane();
  EXPECT_TRUE(List(*driver_)->empty());
  EXPECT_TRUE(std::filesystem::exists(workers() + "/notes"));
}

TEST_F(ProcessDriverTest, AStartThatWasCutShortIsListedOrLeavesNothing) {
  Run(kSleeps);
  driver_.reset();
  // Killed before the record was there, and within writing it.
  for (const char* instance : {"aaaaaaaaaaaa", "bbbbbbbbbbbb"}) {
    ASSERT_TRUE(MakeDirectories(Cat(workers(), "/", instance), 0700).ok());
  }
  ASSERT_TRUE(
      WriteFileAtomically(Cat(workers(), "/bbbbbbbbbbbb/process.json.new.1"), "{", 0600).ok());
  RestartControlPlane();
  EXPECT_THAT(FilesBelow(workers()), IsEmpty());
}

TEST_F(ProcessDriverTest, ARemovalThatWasCutShortIsFinishedByTheNextControlPlane) {
  Run(kSleeps);
  const RuntimeWorker worker = MustStart(NewLaunch());
  ASSERT_TRUE(Remove(*driver_, worker.handle).ok());
  driver_.reset();
  // As a removal leaves them that came to nothing but its first step.
  ASSERT_TRUE(WriteFileAtomically(state_.path() + "/token", "t", 0600).ok());
  ASSERT_TRUE(MakeDirectories(workers() + "/gone-aaaaaaaaaaaa", 0700).ok());
  std::filesystem::rename(state_.path() + "/token", workers() + "/gone-aaaaaaaaaaaa/token");
  RestartControlPlane();
  EXPECT_THAT(FilesBelow(workers()), IsEmpty());
}

TEST_F(ProcessDriverTest, TheTailOfTheLogsKeepsStandardErrorLast) {
  Run("#!/bin/sh\nfor i in 1 2 3; do echo out $i; done\nfor i in 1 2; do echo err $i >&2; done\n"
      "exec sleep 1000\n");
  const RuntimeWorker worker = MustStart(NewLaunch());
  EXPECT_TRUE(Eventually([&] { return LogLines(*driver_, worker.handle, -1).size() == 5; }));
  const auto tail = [&](int lines) { return LogLines(*driver_, worker.handle, lines); };
  EXPECT_THAT(tail(-1), ElementsAre("out 1", "out 2", "out 3", "err 1", "err 2"));
  EXPECT_THAT(tail(3), ElementsAre("out 3", "err 1", "err 2"));
  EXPECT_THAT(tail(1), ElementsAre("err 2"));
  EXPECT_THAT(tail(0), ElementsAre());
}

TEST_F(ProcessDriverTest, AFollowedLogGetsEachNewLineOnce) {
  Run("#!/bin/sh\ni=0\nwhile [ $i -lt 200 ]; do echo $i; i=$((i+1)); done\nprintf unfinished\n");
  const RuntimeWorker worker = MustStart(NewLaunch());
  std::vector<std::string> lines;
  std::promise<absl::Status> ended;
  const auto stream = driver_->Logs(
      worker.handle, -1, true, [&](RuntimeLogLine line) { lines.push_back(std::move(line.text)); },
      [&](absl::Status status) { ended.set_value(std::move(status)); });
  ASSERT_TRUE(stream.ok()) << stream.status();
  auto end = ended.get_future();
  ASSERT_EQ(end.wait_for(kPatience), std::future_status::ready);
  ASSERT_EQ(lines.size(), 201u);
  for (size_t i = 0; i < 200; ++i) EXPECT_EQ(lines[i], std::to_string(i));
  EXPECT_EQ(lines.back(), "unfinished");
}

TEST_F(ProcessDriverTest, DestroyingTheDriverCancelsAStopAndLeavesTheWorker) {
  Run("#!/bin/sh\ntrap '' TERM\necho ready\nwhile :; do sleep 0.05; done\n");
  const RuntimeWorker worker = MustStart(NewLaunch());
  EXPECT_TRUE(Eventually([&] { return !LogLines(*driver_, worker.handle, -1).empty(); }));
  absl::Status answer;
  driver_->Stop(worker.handle, std::chrono::hours(1),
                [&](absl::Status status) { answer = std::move(status); });
  driver_.reset();
  EXPECT_TRUE(absl::IsCancelled(answer)) << answer;
  EXPECT_TRUE(ProcessExists(worker.pid));
  RestartControlPlane();
}

TEST(ProcessRecordTest, IsReadBackAsItWasWritten) {
  ProcessRecord record;
  record.instance = "0123456789ab";
  record.service = "worker";
  record.ordinal = 3;
  record.port = 6003;
  record.template_hash = "t";
  record.program = "/bin/\"odd\"\xff";
  record.address = "127.0.0.1:6003";
  record.created = WallTime(std::chrono::microseconds(1700000000123456));
  record.process = {4711, 987654321};
  record.exit = RuntimeWorker::Exit{};
  record.exit->signal = 9;
  record.exit->error = "words";
  const auto read = ParseProcessRecord(ToJson(record));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ToJson(*read), ToJson(record));
  EXPECT_EQ(read->process, record.process);
  EXPECT_EQ(read->created, record.created);
  EXPECT_EQ(read->exit->code, -1);
}

TEST(ProcessRecordTest, RefusesWhatIsNoRecord) {
  for (const char* text : {"", "{", "[]", "{}", R"({"instance":7})",
                           R"({"instance":"a","port":70000})", R"({"instance":"a","pid":"x"})"}) {
    EXPECT_EQ(ParseProcessRecord(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace gocomet::controlplane
