// What every runtime that manages workers must do, with the real worker.
#include <atomic>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "driver_under_test.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RuntimeDriverContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (const std::string reason = ReasonToSkip(GetParam()); !reason.empty()) {
      GTEST_SKIP() << reason;
    }
    RestartControlPlane();
    if (driver_ == nullptr) return;
    const absl::Status prepared = Prepare(*driver_);
    ASSERT_TRUE(prepared.ok()) << prepared;
  }

  void TearDown() override {
    if (driver_ == nullptr) return;
    const auto workers = List(*driver_);
    ASSERT_TRUE(workers.ok()) << workers.status();
    for (const RuntimeWorker& worker : *workers) {
      const absl::Status removed = Remove(*driver_, worker.handle);
      EXPECT_TRUE(removed.ok()) << removed;
    }
  }

  // A control plane that comes back: another driver over the same state.
  void RestartControlPlane() {
    driver_.reset();
    auto made = MakeDriver(GetParam(), state_.path());
    ASSERT_TRUE(made.ok()) << made.status();
    driver_ = *std::move(made);
  }

  RuntimeWorker MustStart(const WorkerLaunch& launch) {
    const auto worker = Start(*driver_, launch);
    EXPECT_TRUE(worker.ok()) << worker.status();
    return worker.ok() ? *worker : RuntimeWorker{};
  }

  // Started, and answering.
  RuntimeWorker MustServe(const WorkerLaunch& launch) {
    RuntimeWorker worker = MustStart(launch);
    EXPECT_TRUE(Eventually([&] { return Answers(worker.address); })) << worker.address;
    return worker;
  }

  static bool Answers(const std::string& address) {
    return StatusLineOf(address, "/healthz") == "HTTP/1.1 200 OK";
  }

  TemporaryDirectory state_;
  std::unique_ptr<RuntimeDriver> driver_;
};

TEST_P(RuntimeDriverContract, AStartedWorkerAnswersAtBothItsAddresses) {
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker worker = MustServe(launch);
  EXPECT_EQ(worker.address, Cat("127.0.0.1:", launch.port));
  EXPECT_TRUE(Eventually([&] { return Answers(worker.balancer_address); }))
      << worker.balancer_address;
}

TEST_P(RuntimeDriverContract, ListsAWorkerAsItWasStarted) {
  const WorkerLaunch launch = NewLaunch(7);
  const RuntimeWorker started = MustStart(launch);
  const auto workers = List(*driver_);
  ASSERT_TRUE(workers.ok()) << workers.status();
  ASSERT_THAT(*workers, SizeIs(1));
  const RuntimeWorker& worker = workers->front();
  EXPECT_EQ(worker.handle, started.handle);
  EXPECT_EQ(worker.id, started.id);
  EXPECT_THAT(worker.id, ::testing::MatchesRegex("[0-9a-f]{12}"));
  EXPECT_EQ(worker.instance, launch.instance);
  EXPECT_EQ(worker.service, "worker");
  EXPECT_EQ(worker.ordinal, 7u);
  EXPECT_EQ(worker.port, launch.port);
  EXPECT_EQ(worker.template_hash, "abc123");
  EXPECT_EQ(worker.address, started.address);
  EXPECT_EQ(worker.balancer_address, started.balancer_address);
  EXPECT_FALSE(worker.image.empty());
  EXPECT_TRUE(worker.running);
  EXPECT_FALSE(worker.exit.has_value());
  EXPECT_TRUE(ProcessExists(worker.pid)) << worker.pid;
  const auto age = std::chrono::system_clock::now() - worker.created;
  EXPECT_LT(std::chrono::abs(age), kPatience);
}

TEST_P(RuntimeDriverContract, ASecondStartOfAnInstanceAnswersWithTheSameWorker) {
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker first = MustStart(launch);
  const RuntimeWorker second = MustStart(launch);
  EXPECT_EQ(second.handle, first.handle);
  const auto workers = List(*driver_);
  ASSERT_TRUE(workers.ok());
  EXPECT_THAT(*workers, SizeIs(1));
}

TEST_P(RuntimeDriverContract, ATakenPortIsNamedAndNothingIsLeft) {
  const WorkerLaunch first = NewLaunch(0);
  MustServe(first);
  WorkerLaunch second = NewLaunch(1);
  second.port = first.port;
  const auto refused = Start(*driver_, second);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists) << refused.status();
  EXPECT_THAT(refused.status().ToString(), HasSubstr(std::to_string(first.port)));
  EXPECT_EQ(Listed(*driver_, second.instance).handle, "");
}

TEST_P(RuntimeDriverContract, AStoppedWorkerStaysListedWithItsExitCode) {
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker worker = MustServe(launch);
  const absl::Status stopped = Stop(*driver_, worker.handle);
  ASSERT_TRUE(stopped.ok()) << stopped;
  EXPECT_FALSE(Answers(worker.address));
  const RuntimeWorker listed = Listed(*driver_, launch.instance);
  EXPECT_FALSE(listed.running);
  ASSERT_TRUE(listed.exit.has_value());
  EXPECT_EQ(listed.exit->code, 0);
  EXPECT_EQ(listed.exit->signal, 0);
}

TEST_P(RuntimeDriverContract, StoppingWhatDoesNotRunIsFine) {
  const RuntimeWorker worker = MustServe(NewLaunch());
  EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
  EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
  EXPECT_TRUE(Stop(*driver_, "0123456789ab").ok());
}

TEST_P(RuntimeDriverContract, RemovingARunningWorkerKillsAndForgetsIt) {
  const RuntimeWorker worker = MustServe(NewLaunch());
  const absl::Status removed = Remove(*driver_, worker.handle);
  ASSERT_TRUE(removed.ok()) << removed;
  EXPECT_FALSE(Answers(worker.address));
  const auto workers = List(*driver_);
  ASSERT_TRUE(workers.ok());
  EXPECT_THAT(*workers, IsEmpty());
  EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
}

TEST_P(RuntimeDriverContract, WorkersOutliveTheControlPlaneAndAreFoundAgain) {
  const WorkerLaunch launch = NewLaunch(2);
  const RuntimeWorker before = MustServe(launch);
  RestartControlPlane();
  EXPECT_TRUE(Answers(before.address));
  const RuntimeWorker after = Listed(*driver_, launch.instance);
  EXPECT_EQ(after.handle, before.handle);
  EXPECT_EQ(after.ordinal, 2u);
  EXPECT_EQ(after.balancer_address, before.balancer_address);
  EXPECT_TRUE(after.running);
  EXPECT_TRUE(Stop(*driver_, after.handle).ok());
  EXPECT_FALSE(Listed(*driver_, launch.instance).running);
}

TEST_P(RuntimeDriverContract, AKilledWorkerIsSeenAtOnceAndListedWithItsSignal) {
  std::atomic<int> changes{0};
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker worker = MustServe(launch);
  driver_->Watch([&] { ++changes; });
  const RuntimeWorker running = Listed(*driver_, launch.instance);
  ASSERT_GT(running.pid, 0);
  // Driver threads may need a moment until they watch; an event may be lost by contract.
  ASSERT_EQ(::kill(static_cast<pid_t>(running.pid), SIGKILL), 0);
  EXPECT_TRUE(Eventually([&] { return !Listed(*driver_, launch.instance).running; }));
  EXPECT_TRUE(Eventually([&] { return changes > 0; }));
  const RuntimeWorker listed = Listed(*driver_, launch.instance);
  ASSERT_TRUE(listed.exit.has_value());
  EXPECT_EQ(listed.exit->signal, SIGKILL);
  EXPECT_EQ(listed.exit->code, -1);
  driver_->Watch(nullptr);
}

TEST_P(RuntimeDriverContract, LogsHoldWhatTheWorkerSaid) {
  const RuntimeWorker worker = MustServe(NewLaunch());
  EXPECT_TRUE(Eventually([&] { return !LogLines(*driver_, worker.handle, -1).empty(); }));
  EXPECT_THAT(LogLines(*driver_, worker.handle, -1), Contains(HasSubstr("listens on")));
  EXPECT_THAT(LogLines(*driver_, worker.handle, 1), SizeIs(1));
}

TEST_P(RuntimeDriverContract, AFollowedLogEndsAfterTheWorker) {
  const RuntimeWorker worker = MustServe(NewLaunch());
  std::atomic<int> lines{0};
  std::promise<absl::Status> ended;
  const auto stream = driver_->Logs(
      worker.handle, -1, true, [&](const RuntimeLogLine&) { ++lines; },
      [&](absl::Status status) { ended.set_value(std::move(status)); });
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_TRUE(Eventually([&] { return lines > 0; }));
  auto end = ended.get_future();
  EXPECT_EQ(end.wait_for(std::chrono::milliseconds(0)), std::future_status::timeout);
  ASSERT_TRUE(Stop(*driver_, worker.handle).ok());
  ASSERT_EQ(end.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(end.get().ok());
}

TEST_P(RuntimeDriverContract, AFollowedLogIsSilentOnceItsStreamIsDestroyed) {
  const RuntimeWorker worker = MustServe(NewLaunch());
  std::atomic<int> calls{0};
  auto stream = driver_->Logs(
      worker.handle, -1, true, [&](const RuntimeLogLine&) { ++calls; },
      [&](const absl::Status&) { ++calls; });
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_TRUE(Eventually([&] { return calls > 0; }));
  stream->reset();
  const int before = calls;
  EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
  EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
  EXPECT_EQ(calls, before);
}

TEST_P(RuntimeDriverContract, LogsOfAnUnknownWorkerAreNotFound) {
  const std::vector<std::string> lines = LogLines(*driver_, "0123456789ab", -1);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("NOT_FOUND")));
}

TEST_P(RuntimeDriverContract, ManyWorkersStartAndStopAtOnce) {
  constexpr uint32_t kCount = 8;
  std::atomic<uint32_t> started{0};
  std::atomic<uint32_t> failed{0};
  std::vector<WorkerLaunch> launches;
  for (uint32_t i = 0; i < kCount; ++i) launches.push_back(NewLaunch(i));
  for (const WorkerLaunch& launch : launches) {
    driver_->Start(launch, [&](const absl::StatusOr<RuntimeWorker>& worker) {
      EXPECT_TRUE(worker.ok()) << worker.status();
      ++(worker.ok() ? started : failed);
    });
  }
  EXPECT_TRUE(Eventually([&] { return started + failed == kCount; }));
  const auto workers = List(*driver_);
  ASSERT_TRUE(workers.ok());
  EXPECT_THAT(*workers, SizeIs(kCount));
  std::atomic<uint32_t> removed{0};
  for (const RuntimeWorker& worker : *workers) {
    driver_->Remove(worker.handle, [&](const absl::Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      ++removed;
    });
  }
  EXPECT_TRUE(Eventually([&] { return removed == workers->size(); }));
}

TEST_P(RuntimeDriverContract, DestroyingTheDriverAnswersEveryCall) {
  std::atomic<int> answers{0};
  for (int i = 0; i < 20; ++i) {
    driver_->List([&](const auto&) { ++answers; });
  }
  const RuntimeWorker worker = MustServe(NewLaunch());
  driver_->Stop(worker.handle, std::chrono::seconds(60), [&](const absl::Status&) { ++answers; });
  driver_.reset();
  EXPECT_EQ(answers, 21);
  RestartControlPlane();
}

INSTANTIATE_TEST_SUITE_P(Driver, RuntimeDriverContract, ::testing::ValuesIn(DriversUnderTest()),
                         [](const auto& driver) { return driver.param; });

}  // namespace
}  // namespace gocomet::controlplane
