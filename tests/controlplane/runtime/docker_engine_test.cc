// The Docker driver with an engine that has a state, and people and accidents that change it.
#include <atomic>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "docker_world.h"
#include "simulated_engine.h"

namespace gocomet::controlplane {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using After = SimulatedEngine::After;
using Call = SimulatedEngine::Call;

// Of drivers whose engine hangs.
constexpr std::chrono::milliseconds kCallPatience{400};

constexpr char kFirst[] = "gocomet-worker-0-c1";

class DockerEngine : public DockerWorld {
 protected:
  void SetUp() override { UseEngine(engine_.wire().host()); }

  RuntimeWorker MustStart(const WorkerLaunch& launch) {
    const auto worker = Start(*driver_, launch);
    EXPECT_TRUE(worker.ok()) << worker.status();
    return worker.ok() ? *worker : RuntimeWorker{};
  }

  std::string WorkersDirectory(const std::string& below) const {
    return Cat(state_.path(), "/workers/", below);
  }

  SimulatedEngine engine_;
};

TEST_F(DockerEngine, AWorkerStartsRunsStopsAndGoes) {
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker worker = MustStart(launch);
  EXPECT_TRUE(worker.running);
  EXPECT_EQ(engine_.containers().at(kFirst).status, "running");
  EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
  EXPECT_THAT(engine_.containers().at(kFirst).signals, ElementsAre("SIGTERM"));
  EXPECT_FALSE(Listed(*driver_, launch.instance).running);
  EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
  EXPECT_THAT(engine_.containers(), IsEmpty());
}

TEST_F(DockerEngine, AStartWhoseAnswersAreLostIsFinishedByTheNextTry) {
  for (const Call call : {Call::kCreate, Call::kStart}) {
    const WorkerLaunch launch = NewLaunch();
    engine_.Inject(call, SimulatedEngine::LosesTheAnswer());
    EXPECT_EQ(Start(*driver_, launch).status().code(), absl::StatusCode::kUnavailable);
    const RuntimeWorker worker = MustStart(launch);
    EXPECT_TRUE(worker.running);
    EXPECT_THAT(engine_.containers(), SizeIs(1)) << "a second container was made";
    EXPECT_EQ(engine_.containers().at(kFirst).starts, 1);
    EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
  }
}

TEST_F(DockerEngine, AContainerThatWasMadeAndNeverStartedMakesRoomForAnotherWorker) {
  engine_.Inject(Call::kCreate, SimulatedEngine::LosesTheAnswer());
  EXPECT_FALSE(Start(*driver_, NewLaunch()).ok());
  const WorkerLaunch successor = NewLaunch();
  EXPECT_TRUE(MustStart(successor).running);
  EXPECT_THAT(engine_.containers(), SizeIs(1));
}

TEST_F(DockerEngine, AStartThatDiedBeforeItsContainerWasMadeLeavesNoTokenBehind) {
  const WorkerLaunch kept = NewLaunch(0);
  MustStart(kept);
  driver_.reset();
  ASSERT_TRUE(MakeDirectories(WorkersDirectory("aaaaaaaaaaaa"), 0700).ok());
  ASSERT_TRUE(WriteFileAtomically(WorkersDirectory("aaaaaaaaaaaa/token"), "t", 0600).ok());
  ASSERT_TRUE(MakeDirectories(WorkersDirectory("bbbbbbbbbbbb"), 0700).ok());
  ASSERT_TRUE(WriteFileAtomically(WorkersDirectory("bbbbbbbbbbbb/process.json"), "", 0600).ok());
  ASSERT_TRUE(MakeDirectories(WorkersDirectory("another"), 0700).ok());
  UseEngine(engine_.wire().host());
  engine_.Inject(Call::kList, SimulatedEngine::Refuses(500, "not now"));
  EXPECT_FALSE(List(*driver_).ok());
  EXPECT_TRUE(std::filesystem::exists(WorkersDirectory("aaaaaaaaaaaa"))) << "nobody has said so";
  EXPECT_TRUE(List(*driver_).ok());
  EXPECT_FALSE(std::filesystem::exists(WorkersDirectory("aaaaaaaaaaaa")));
  EXPECT_TRUE(std::filesystem::exists(WorkersDirectory(kept.instance + "/token")));
  EXPECT_TRUE(std::filesystem::exists(WorkersDirectory("bbbbbbbbbbbb"))) << "a process's";
  EXPECT_TRUE(std::filesystem::exists(WorkersDirectory("another"))) << "not a worker's";
}

TEST_F(DockerEngine, AStartThatFailedWithoutAContainerLeavesNoTokenBehind) {
  const WorkerLaunch launch = NewLaunch();
  engine_.Inject(Call::kCreate, {{200, "", FakeEngine::Answer::Fault::kLost}, false});
  EXPECT_FALSE(Start(*driver_, launch).ok());
  EXPECT_TRUE(List(*driver_).ok());
  EXPECT_FALSE(std::filesystem::exists(WorkersDirectory(launch.instance)));
}

TEST_F(DockerEngine, AStartThatFailedAndTookEffectKeepsItsTokenUntilItIsRemoved) {
  const WorkerLaunch launch = NewLaunch();
  engine_.Inject(Call::kCreate, SimulatedEngine::LosesTheAnswer());
  EXPECT_FALSE(Start(*driver_, launch).ok());
  const RuntimeWorker listed = Listed(*driver_, launch.instance);
  EXPECT_TRUE(std::filesystem::exists(WorkersDirectory(launch.instance + "/token")));
  EXPECT_TRUE(Remove(*driver_, listed.handle).ok());
  EXPECT_FALSE(std::filesystem::exists(WorkersDirectory(launch.instance)));
}

TEST_F(DockerEngine, AListThatIsUnderWayTakesNoTokenFromAWorkerThatStartsMeanwhile) {
  engine_.Inject(Call::kList, SimulatedEngine::TakesItsTime(std::chrono::milliseconds(300)));
  std::atomic<bool> listed{false};
  driver_->List([&](const auto& workers) {
    EXPECT_TRUE(workers.ok() && workers->empty());
    listed = true;
  });
  ASSERT_TRUE(Eventually([&] { return engine_.CallsOf(Call::kList) == 1; }));
  const WorkerLaunch launch = NewLaunch();
  MustStart(launch);
  ASSERT_TRUE(Eventually([&] { return listed.load(); }));
  EXPECT_TRUE(std::filesystem::exists(WorkersDirectory(launch.instance + "/token")));
}

TEST_F(DockerEngine, AStopWhoseAnswerIsLostIsFinishedByTheNextTry) {
  const RuntimeWorker worker = MustStart(NewLaunch());
  engine_.Inject(Call::kKill, SimulatedEngine::LosesTheAnswer());
  EXPECT_EQ(Stop(*driver_, worker.handle).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
}

TEST_F(DockerEngine, ARemovalWhoseAnswerIsLostIsFinishedByTheNextTry) {
  const RuntimeWorker worker = MustStart(NewLaunch());
  engine_.Inject(Call::kRemove, SimulatedEngine::LosesTheAnswer());
  EXPECT_EQ(Remove(*driver_, worker.handle).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
  EXPECT_THAT(engine_.containers(), IsEmpty());
}

TEST_F(DockerEngine, EveryCallOfAnEngineThatHangsEndsInTime) {
  UseEngine(engine_.wire().host(), kCallPatience);
  const RuntimeWorker worker = MustStart(NewLaunch());
  struct Try {
    Call hangs;
    std::function<absl::Status()> call;
  };
  const std::vector<Try> tries = {
      {Call::kVersion, [&] { return List(*driver_).status(); }},
      {Call::kList, [&] { return List(*driver_).status(); }},
      {Call::kInspect, [&] { return List(*driver_).status(); }},
      {Call::kCreate, [&] { return Start(*driver_, NewLaunch(1)).status(); }},
      {Call::kStart, [&] { return Start(*driver_, NewLaunch(2)).status(); }},
      {Call::kKill, [&] { return Stop(*driver_, worker.handle); }},
      {Call::kRemove, [&] { return Remove(*driver_, worker.handle); }},
      {Call::kLookForImage, [&] { return Prepare(*driver_); }},
  };
  for (const Try& each : tries) {
    if (each.hangs == Call::kVersion) {  // Asked again only after an engine was away.
      engine_.GoDown();
      EXPECT_FALSE(List(*driver_).ok());
      engine_.Inject(each.hangs, SimulatedEngine::Hangs(), -1);
      engine_.ComeUp(After::kRunOn);
    }
    engine_.Inject(each.hangs, SimulatedEngine::Hangs(), -1);
    const auto begin = std::chrono::steady_clock::now();
    const absl::Status status = each.call();
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded)
        << static_cast<int>(each.hangs) << ": " << status;
    EXPECT_THAT(status.ToString(), HasSubstr("Docker engine"));
    EXPECT_LT(took, 10 * kCallPatience) << static_cast<int>(each.hangs);
    engine_.Heal(each.hangs);
  }
  EXPECT_TRUE(List(*driver_).ok()) << "healed";
}

TEST_F(DockerEngine, ThoseWhoWaitForAnEngineThatHangsDoNotWaitOneAfterTheOther) {
  UseEngine(engine_.wire().host(), kCallPatience);
  engine_.Inject(Call::kVersion, SimulatedEngine::Hangs(), -1);
  constexpr int kCalls = 4;
  std::atomic<int> answers{0};
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) driver_->List([&](const auto&) { ++answers; });
  EXPECT_TRUE(Eventually([&] { return answers == kCalls; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3 * kCallPatience);
}

TEST_F(DockerEngine, ASlowEngineIsGivenUpAfterTheTimeOfThreeCalls) {
  UseEngine(engine_.wire().host(), kCallPatience);
  for (uint32_t i = 0; i < 8; ++i) MustStart(NewLaunch(i));
  FakeEngine::Answer slow{200, "{}"};
  slow.delay = kCallPatience * 3 / 4;
  engine_.Inject(Call::kInspect, {slow, false}, -1);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(List(*driver_).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5 * kCallPatience);
}

TEST_F(DockerEngine, AnEngineThatIsAwayIsNeverTakenForAWorkerThatIsGone) {
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker worker = MustStart(launch);
  engine_.GoDown();
  EXPECT_EQ(List(*driver_).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Stop(*driver_, worker.handle).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Remove(*driver_, worker.handle).code(), absl::StatusCode::kUnavailable);
  engine_.ComeUp(After::kRunOn);
  EXPECT_TRUE(Listed(*driver_, launch.instance).running);
}

TEST_F(DockerEngine, AnEngineThatGoesWithinAListLosesNobody) {
  MustStart(NewLaunch(0));
  MustStart(NewLaunch(1));
  // The connection breaks at the second worker of two.
  engine_.Inject(Call::kInspect, SimulatedEngine::LosesTheAnswer(), 1, 1);
  EXPECT_EQ(List(*driver_).status().code(), absl::StatusCode::kUnavailable);
  const auto workers = List(*driver_);
  ASSERT_TRUE(workers.ok());
  EXPECT_THAT(*workers, SizeIs(2));
}

TEST_F(DockerEngine, AContainerThatGoesWithinAListIsLeftOut) {
  MustStart(NewLaunch(0));
  MustStart(NewLaunch(1));
  engine_.Inject(Call::kInspect, SimulatedEngine::Refuses(404, "No such container"), 1, 1);
  const auto workers = List(*driver_);
  ASSERT_TRUE(workers.ok()) << workers.status();
  EXPECT_THAT(*workers, SizeIs(1));
}

TEST_F(DockerEngine, WhatEndedWithItsEngineIsListedAsEnded) {
  const WorkerLaunch launch = NewLaunch();
  MustStart(launch);
  engine_.GoDown();
  engine_.ComeUp(After::kEnded);
  EXPECT_FALSE(Listed(*driver_, launch.instance).running);
}

TEST_F(DockerEngine, AnEngineThatComesBackIsAChange) {
  std::atomic<int> changes{0};
  driver_->Watch([&] { ++changes; });
  EXPECT_TRUE(Eventually([&] { return changes >= 1; })) << "the events opened";
  engine_.GoDown();
  EXPECT_TRUE(Eventually([&] { return changes >= 2; })) << "the events were cut";
  engine_.ComeUp(After::kEnded);
  EXPECT_TRUE(Eventually([&] { return changes >= 3; })) << "the events opened again";
  driver_->Watch(nullptr);
}

TEST_F(DockerEngine, EventsThatWereCutAreOpenedAgainAndTell) {
  const WorkerLaunch launch = NewLaunch();
  MustStart(launch);
  std::atomic<int> changes{0};
  driver_->Watch([&] { ++changes; });
  EXPECT_TRUE(Eventually([&] { return engine_.CallsOf(Call::kEvents) == 1 && changes > 0; }));
  engine_.wire().CutStreams();
  EXPECT_TRUE(Eventually([&] { return engine_.CallsOf(Call::kEvents) == 2; }));
  EXPECT_TRUE(Eventually([&] { return changes >= 3; })) << "cut, and open again";
  const int before = changes;
  engine_.StopByHand(kFirst);
  EXPECT_TRUE(Eventually([&] { return changes > before; })) << "the worker's end";
  driver_->Watch(nullptr);
}

TEST_F(DockerEngine, EventsThatTheEngineRefusesAreAskedForAgain) {
  std::atomic<int> changes{0};
  engine_.Inject(Call::kEvents, SimulatedEngine::Refuses(500, "not now"), 2);
  driver_->Watch([&] { ++changes; });
  EXPECT_TRUE(Eventually([&] { return changes >= 1; }));
  EXPECT_GE(engine_.CallsOf(Call::kEvents), 3);
  driver_->Watch(nullptr);
}

TEST_F(DockerEngine, AWorkerStoppedByHandIsSeenWithItsExit) {
  const WorkerLaunch launch = NewLaunch();
  MustStart(launch);
  engine_.StopByHand(kFirst, 3);
  const RuntimeWorker worker = Listed(*driver_, launch.instance);
  EXPECT_FALSE(worker.running);
  ASSERT_TRUE(worker.exit.has_value());
  EXPECT_EQ(worker.exit->code, 3);
}

TEST_F(DockerEngine, AWorkerRemovedByHandIsNotListedAndItsFilesGoWithIt) {
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker worker = MustStart(launch);
  engine_.RemoveByHand(kFirst);
  EXPECT_EQ(Listed(*driver_, launch.instance).handle, "");
  EXPECT_TRUE(Remove(*driver_, worker.handle).ok());
  EXPECT_NE(::access(Cat(state_.path(), "/workers/", launch.instance).c_str(), F_OK), 0);
}

TEST_F(DockerEngine, APausedWorkerRunsAndSaysThatItIsPaused) {
  const WorkerLaunch launch = NewLaunch();
  MustStart(launch);
  engine_.PauseByHand(kFirst);
  EXPECT_TRUE(Listed(*driver_, launch.instance).running);
  EXPECT_THAT(Listed(*driver_, launch.instance).remark, HasSubstr("docker unpause"));
  engine_.UnpauseByHand(kFirst);
  EXPECT_EQ(Listed(*driver_, launch.instance).remark, "");
}

TEST_F(DockerEngine, APausedWorkerStopsAfterItsGrace) {
  const RuntimeWorker worker = MustStart(NewLaunch());
  engine_.PauseByHand(kFirst);
  EXPECT_TRUE(Stop(*driver_, worker.handle, std::chrono::milliseconds(50)).ok());
  EXPECT_THAT(engine_.containers().at(kFirst).signals, ElementsAre("SIGTERM", "SIGKILL"));
}

TEST_F(DockerEngine, AStrangersNameIsNamedAndTheStrangerLeftAlone) {
  engine_.MakeStranger(kFirst);
  const absl::Status status = Start(*driver_, NewLaunch()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr(kFirst), HasSubstr("docker rm -f")));
  EXPECT_THAT(engine_.containers(), SizeIs(1));
}

TEST_F(DockerEngine, AnImageThatSomebodyRemovedIsBuiltAgain) {
  const WorkerLaunch launch = NewLaunch();
  const RuntimeWorker first = MustStart(launch);
  engine_.RemoveImage(first.image);
  EXPECT_TRUE(MustStart(NewLaunch(1)).running);
  EXPECT_EQ(engine_.CallsOf(Call::kBuild), 2);
}

TEST_F(DockerEngine, AnAnswerThatIsCutWithinAChunkIsAnError) {
  engine_.Inject(Call::kList,
                 {{200, "[]                ", FakeEngine::Answer::Fault::kCutChunk}, false});
  EXPECT_EQ(List(*driver_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(DockerEngine, AForeignContainerInTheListIsAnErrorAndNotAWorker) {
  MustStart(NewLaunch());
  engine_.Inject(Call::kInspect, SimulatedEngine::Says(R"({"Id":"0123456789ab","State":7})"));
  EXPECT_EQ(List(*driver_).status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace gocomet::controlplane
