// The fleet of workers over the Docker driver, with an engine that comes and goes.
#include <atomic>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/cluster/worker_fleet.h"
#include "docker_world.h"
#include "simulated_engine.h"

namespace gocomet::controlplane {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using After = SimulatedEngine::After;
using Call = SimulatedEngine::Call;

class ForgetfulStore : public Store {
 public:
  void Write(StoreWrite) override {}
  void Flush() override {}
  size_t queued() const override { return 0; }
};

constexpr char kFirst[] = "gocomet-worker-0-c1";

class FleetOnDocker : public DockerWorld {
 protected:
  void SetUp() override {
    UseEngine(engine_.wire().host());
    BeginFleet();
  }

  void TearDown() override { EndFleet(); }

  void BeginFleet() {
    mailbox_ = std::make_unique<Mailbox>();
    events_ = std::make_unique<EventLog>(store_, SystemClock(), std::vector<Event>{}, 0);
    fleet_ = std::make_unique<WorkerFleet>(
        *driver_, *mailbox_, *events_, SystemClock(),
        WorkerFleet::Hooks{[](const std::string&) { return std::string("token"); }, [] {}});
    fleet_->Refresh();
    ASSERT_TRUE(Comes([&] { return fleet_->listed(); }));
  }

  // For engines that hang: good calls have little time then, too.
  void UseImpatientDriver() {
    EndFleet();
    UseEngine(engine_.wire().host(), std::chrono::seconds(1));
    BeginFleet();
  }

  void EndFleet() {
    driver_->Watch(nullptr);
    fleet_->ForgetDiagnoses();
    driver_.reset();  // What it still answers goes to the mailbox, which nobody empties.
    mailbox_->Close();
    fleet_.reset();
  }

  // Does the owner's work until it has come true.
  bool Comes(const std::function<bool()>& condition) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      const SteadyTime now = std::chrono::steady_clock::now();
      if (now > deadline) return false;
      for (const Mailbox::Task& task : mailbox_->Take(now + std::chrono::milliseconds(10))) task();
    }
    return true;
  }

  // Asks the runtime, as the owner does every few seconds, until its answer is good or not.
  void LookUntil(bool available) {
    fleet_->Refresh();
    EXPECT_TRUE(Comes([&] { return fleet_->runtime_available() == available; })) << Told();
  }

  void StartWorkers(uint32_t count) {
    ServiceDesire desire;
    desire.template_hash = "t";
    for (uint32_t i = 0; i < count; ++i) {
      StartWorker action{"worker", i, FreePort(), ""};
      fleet_->Perform(action, desire);
    }
    ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kStarting) == count; })) << Told();
  }

  size_t CountIn(WorkerState state) const {
    const auto workers = fleet_->workers();
    return static_cast<size_t>(std::count_if(workers.begin(), workers.end(),
                                             [&](const Worker& w) { return w.state == state; }));
  }

  std::vector<std::string> Kinds() const {
    std::vector<std::string> kinds;
    for (const Event& event : events_->After(0)) kinds.push_back(event.kind);
    return kinds;
  }

  std::string Told() const {
    std::string text;
    for (const Event& event : events_->After(0)) {
      text += Cat(event.subject, " ", event.kind, ": ", event.message, "\n");
    }
    return text;
  }

  SimulatedEngine engine_;
  ForgetfulStore store_;
  std::unique_ptr<Mailbox> mailbox_;
  std::unique_ptr<EventLog> events_;
  std::unique_ptr<WorkerFleet> fleet_;
};

TEST_F(FleetOnDocker, NoWorkerIsThoughtDeadWhileTheEngineIsAway) {
  StartWorkers(3);
  engine_.GoDown();
  ASSERT_TRUE(Comes([&] { return !fleet_->runtime_available(); })) << Told();
  EXPECT_EQ(CountIn(WorkerState::kStarting), 3u) << Told();
  engine_.ComeUp(After::kRunOn);
  ASSERT_TRUE(Comes([&] { return fleet_->runtime_available(); })) << Told();
  EXPECT_EQ(CountIn(WorkerState::kStarting), 3u) << Told();
  EXPECT_THAT(Kinds(), Not(Contains("WorkerCrashed"))) << Told();
  EXPECT_THAT(Kinds(), Contains("RuntimeAvailable"));
}

TEST_F(FleetOnDocker, NoWorkerIsThoughtDeadWhileTheEngineHangs) {
  UseImpatientDriver();
  StartWorkers(2);
  engine_.Inject(Call::kList, SimulatedEngine::Hangs(), -1);
  LookUntil(false);
  EXPECT_THAT(fleet_->runtime_problem(), ::testing::HasSubstr("does not answer in time"));
  EXPECT_EQ(CountIn(WorkerState::kStarting), 2u);
  engine_.Heal(Call::kList);
  LookUntil(true);
  EXPECT_EQ(CountIn(WorkerState::kStarting), 2u) << Told();
}

TEST_F(FleetOnDocker, NoWorkerIsThoughtDeadWhenAListBreaksOffInTheMiddle) {
  StartWorkers(3);
  engine_.Inject(Call::kInspect, SimulatedEngine::LosesTheAnswer(), 1, 1);
  LookUntil(false);
  LookUntil(true);
  engine_.Inject(Call::kInspect, SimulatedEngine::Refuses(500, "boom"), 1, 2);
  LookUntil(false);
  LookUntil(true);
  EXPECT_EQ(CountIn(WorkerState::kStarting), 3u) << Told();
}

TEST_F(FleetOnDocker, AWorkerThatWasSeenBeforeItStartedIsNotThoughtDead) {
  // The list finds it made and not yet started, and is answered after the start.
  engine_.Inject(Call::kInspect, SimulatedEngine::TakesItsTime(std::chrono::milliseconds(100)));
  fleet_->Perform(StartWorker{"worker", 0, FreePort(), ""}, ServiceDesire{});
  ASSERT_TRUE(Eventually([&] { return engine_.CallsOf(Call::kInspect) == 1; }));
  engine_.Inject(Call::kInspect, SimulatedEngine::TakesItsTime(std::chrono::milliseconds(250)));
  fleet_->Refresh();
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kStarting) == 1; })) << Told();
  // One to begin with, one of the start, the late one, and one because that was too early.
  ASSERT_TRUE(Comes([&] { return engine_.CallsOf(Call::kList) >= 4; })) << "asked again";
  EXPECT_EQ(CountIn(WorkerState::kStarting), 1u) << Told();
  EXPECT_THAT(Kinds(), Not(Contains("WorkerCrashed"))) << Told();
}

TEST_F(FleetOnDocker, WorkersThatEndedWithTheirEngineAreCrashed) {
  StartWorkers(2);
  engine_.GoDown();
  engine_.ComeUp(After::kEnded);
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kBackOff) == 2; })) << Told();
}

TEST_F(FleetOnDocker, WorkersThatAreGoneWithTheirEngineAreCrashed) {
  StartWorkers(2);
  engine_.GoDown();
  engine_.ComeUp(After::kGone);
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kBackOff) == 2; })) << Told();
}

TEST_F(FleetOnDocker, AWorkerRemovedByHandIsCrashed) {
  StartWorkers(2);
  engine_.RemoveByHand(kFirst);
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kBackOff) == 1; })) << Told();
  EXPECT_EQ(CountIn(WorkerState::kStarting), 1u);
}

TEST_F(FleetOnDocker, AWorkerWhoseStartLostItsAnswerIsFoundAndRemoved) {
  engine_.Inject(Call::kStart, SimulatedEngine::LosesTheAnswer());
  fleet_->Perform(StartWorker{"worker", 0, FreePort(), ""}, ServiceDesire{});
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kBackOff) == 1; })) << Told();
  // It runs: the record learns its handle, by which the planner lets it be removed.
  ASSERT_TRUE(Comes([&] { return !fleet_->workers().front().handle.empty(); })) << Told();
  fleet_->Perform(RemoveWorker{fleet_->workers().front().instance});
  ASSERT_TRUE(Comes([&] { return engine_.containers().empty(); })) << Told();
}

TEST_F(FleetOnDocker, AListThatWasAskedForBeforeARemovalMakesNoOrphan) {
  StartWorkers(1);
  const std::string instance = fleet_->workers().front().instance;
  // The list knows the worker, and is answered after its removal.
  engine_.Inject(Call::kInspect, SimulatedEngine::TakesItsTime(std::chrono::milliseconds(500)));
  const int lists = engine_.CallsOf(Call::kList);
  const int looks = engine_.CallsOf(Call::kInspect);
  fleet_->Refresh();
  ASSERT_TRUE(Eventually([&] { return engine_.CallsOf(Call::kInspect) == looks + 1; }));
  fleet_->Perform(DrainWorker{instance, "no longer wanted"});
  fleet_->Perform(StopWorker{instance, false}, Service{});
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kStopped) == 1; })) << Told();
  fleet_->Perform(RemoveWorker{instance});
  ASSERT_TRUE(Comes([&] { return fleet_->workers().empty(); })) << Told();
  ASSERT_TRUE(Comes([&] { return engine_.CallsOf(Call::kList) > lists + 1; })) << Told();
  EXPECT_THAT(Kinds(), Not(Contains("OrphanRemoved"))) << Told();
}

TEST_F(FleetOnDocker, AStrangersNameIsAFailureThatNamesIt) {
  engine_.MakeStranger(kFirst);
  fleet_->Perform(StartWorker{"worker", 0, FreePort(), ""}, ServiceDesire{});
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kBackOff) == 1; })) << Told();
  ASSERT_TRUE(fleet_->workers().front().failure.has_value());
  EXPECT_THAT(fleet_->workers().front().failure->cause, ::testing::HasSubstr(kFirst));
}

TEST_F(FleetOnDocker, AWorkerSaysHowFarThePullOfItsImageIs) {
  const FakeEngine::Answer slow{200, "{\"status\":\"Pulling fs layer\",\"id\":\"aa\"}\n",
                                FakeEngine::Answer::Fault::kStreamUntilRelease};
  engine_.OfferImage("example/web:1");
  engine_.Inject(Call::kPull, {slow, true});
  ServiceDesire desire;
  desire.spec.workload.image = "example/web:1";
  fleet_->Perform(StartWorker{"web", 0, FreePort(), ""}, desire);
  ASSERT_TRUE(Comes([&] {
    return fleet_->workers().front().reason.find("0 of 1 layers") != std::string::npos;
  })) << Told();
  engine_.wire().Release();
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kStarting) == 1; })) << Told();
  EXPECT_THAT(Kinds(), ElementsAre("ImagePulling", "ImagePulled", "WorkerStarted"));
}

TEST_F(FleetOnDocker, AStartThatIsGivenUpIsNoFailure) {
  engine_.Inject(Call::kPull, SimulatedEngine::Hangs(), -1);
  ServiceDesire desire;
  desire.spec.workload.image = "example/web:1";
  fleet_->Perform(StartWorker{"web", 0, FreePort(), ""}, desire);
  fleet_->GiveUpStarts([](const Worker& worker) { return worker.service == "web"; });
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kBackOff) == 1; })) << Told();
  EXPECT_THAT(Kinds(), Contains("WorkerStartGivenUp"));
  EXPECT_THAT(Kinds(), Not(Contains("WorkerStartFailed")));
}

TEST_F(FleetOnDocker, AnImageThatSomebodyRestartsIsAnotherGeneration) {
  engine_.AddImage("example/web:1");
  ServiceDesire desire;
  desire.spec.workload.image = "example/web:1";
  fleet_->Perform(StartWorker{"web", 0, FreePort(), ""}, desire);
  ASSERT_TRUE(Comes([&] { return CountIn(WorkerState::kStarting) == 1; })) << Told();
  EXPECT_EQ(fleet_->workers().front().generation, 1u);
  engine_.RestartByHand("gocomet-web-0-c1");
  ASSERT_TRUE(Comes([&] { return fleet_->workers().front().generation == 2; })) << Told();
  EXPECT_THAT(Kinds(), Contains("WorkerRestarted"));
}

TEST_F(FleetOnDocker, APausedWorkerSaysSoUntilItGoesOn) {
  StartWorkers(1);
  engine_.PauseByHand(kFirst);
  ASSERT_TRUE(Comes([&] { return !fleet_->workers().front().reason.empty(); })) << Told();
  EXPECT_THAT(fleet_->workers().front().reason, ::testing::HasSubstr("docker unpause"));
  fleet_->Refresh();
  engine_.UnpauseByHand(kFirst);
  ASSERT_TRUE(Comes([&] { return fleet_->workers().front().reason.empty(); })) << Told();
  EXPECT_THAT(Kinds(), ElementsAre("WorkerStarted", "WorkerPaused", "WorkerUnpaused"));
}

TEST_F(FleetOnDocker, AnotherFleetTakesOverWhatRuns) {
  StartWorkers(2);
  EndFleet();  // With its driver, whose calls may still be under way.
  UseEngine(engine_.wire().host());
  BeginFleet();
  EXPECT_EQ(CountIn(WorkerState::kStarting), 2u) << Told();
  EXPECT_THAT(Kinds(), ElementsAre("WorkerAdopted", "WorkerAdopted"));
}

}  // namespace
}  // namespace gocomet::controlplane
