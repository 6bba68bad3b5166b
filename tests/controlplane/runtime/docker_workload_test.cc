// Services' own images as the Docker driver runs them.
#include <atomic>
#include <filesystem>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

using Call = SimulatedEngine::Call;
using Json = nlohmann::json;

constexpr char kImage[] = "example/web:1";
constexpr char kFirst[] = "gocomet-web-0-c1";

class DockerWorkload : public DockerWorld {
 protected:
  void SetUp() override { BeginDriver(); }

  void BeginDriver() {
    UseEngine(engine_.wire().host());
    driver_->Listen([this](const RuntimeNote& note) {
      const std::lock_guard hold(mutex_);
      notes_.push_back(note);
    });
  }

  static WorkerLaunch Launch(uint32_t ordinal = 0) {
    WorkerLaunch launch = NewLaunch(ordinal);
    launch.service = "web";
    launch.workload.image = kImage;
    launch.workload.container_port = 3000;
    return launch;
  }

  RuntimeWorker MustStart(const WorkerLaunch& launch) {
    const auto worker = Start(*driver_, launch);
    EXPECT_TRUE(worker.ok()) << worker.status();
    return worker.ok() ? *worker : RuntimeWorker{};
  }

  // Nothing is left of it.
  std::string Refusal(const WorkerLaunch& launch) {
    const absl::Status status = Start(*driver_, launch).status();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(engine_.containers(), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(Cat(state_.path(), "/workers/", launch.instance)));
    return status.ToString();
  }

  std::vector<std::string> Told(const std::string& kind) {
    const std::lock_guard hold(mutex_);
    std::vector<std::string> texts;
    for (const RuntimeNote& note : notes_) {
      if (note.kind == kind) texts.push_back(Cat(note.service, ": ", note.text));
    }
    return texts;
  }

  Json CreatedWith(const std::string& name) { return engine_.containers().at(name).created_with; }

  std::mutex mutex_;
  std::vector<RuntimeNote> notes_;  // Guarded by mutex_.
  SimulatedEngine engine_;
};

TEST_F(DockerWorkload, RunsAnImageThatIsThereWithoutAPull) {
  engine_.AddImage(kImage);
  const WorkerLaunch launch = Launch();
  const RuntimeWorker worker = MustStart(launch);
  EXPECT_TRUE(worker.running);
  EXPECT_EQ(worker.image, kImage);
  EXPECT_EQ(worker.address, Cat("127.0.0.1:", launch.port));
  EXPECT_EQ(engine_.CallsOf(Call::kPull), 0);
  EXPECT_EQ(engine_.CallsOf(Call::kBuild), 0) << "the demo worker's image is not needed";
  EXPECT_THAT(Told("ImagePulling"), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(Cat(state_.path(), "/workers/", launch.instance)))
      << "there is nothing to keep for it";
}

TEST_F(DockerWorkload, PullsAnImageThatIsMissingAndSaysSo) {
  engine_.OfferImage(kImage);
  EXPECT_TRUE(MustStart(Launch()).running);
  EXPECT_EQ(engine_.CallsOf(Call::kPull), 1);
  EXPECT_THAT(Told("ImagePulling"),
              ElementsAre(AllOf(HasSubstr("web: "), HasSubstr(Cat("has no image ", kImage)))));
  EXPECT_THAT(Told("ImagePulled"), ElementsAre(HasSubstr(kImage)));
}

TEST_F(DockerWorkload, SaysHowFarAPullIs) {
  engine_.OfferImage(kImage);
  FakeEngine::Answer slow{200, "{\"status\":\"Pulling fs layer\",\"id\":\"aa\"}\n",
                          FakeEngine::Answer::Fault::kStreamUntilRelease};
  engine_.Inject(Call::kPull, {slow, true});
  std::atomic<bool> started{false};
  driver_->Start(Launch(), [&](const absl::StatusOr<RuntimeWorker>& worker) {
    EXPECT_TRUE(worker.ok()) << worker.status();
    started = true;
  });
  EXPECT_TRUE(Eventually([&] { return !Told("").empty(); }));
  EXPECT_THAT(Told("").front(), HasSubstr("is pulled: 0 of 1 layers"));
  EXPECT_FALSE(started);
  engine_.wire().Release();
  EXPECT_TRUE(Eventually([&] { return started.load(); }));
}

TEST_F(DockerWorkload, WorkersOfOneImageShareItsPull) {
  engine_.OfferImage(kImage);
  engine_.Inject(Call::kPull, SimulatedEngine::TakesItsTime(std::chrono::milliseconds(300)));
  std::atomic<int> started{0};
  for (uint32_t i = 0; i < 6; ++i) {
    driver_->Start(Launch(i), [&](const absl::StatusOr<RuntimeWorker>& worker) {
      EXPECT_TRUE(worker.ok()) << worker.status();
      ++started;
    });
  }
  EXPECT_TRUE(Eventually([&] { return started == 6; }));
  EXPECT_EQ(engine_.CallsOf(Call::kPull), 1);
}

TEST_F(DockerWorkload, APullHoldsNobodyUp) {
  engine_.Inject(Call::kPull, SimulatedEngine::Hangs(), -1);
  std::atomic<int> answers{0};
  for (uint32_t i = 0; i < 10; ++i) {
    WorkerLaunch launch = Launch(i);
    launch.workload.image = Cat("example/slow:", i);
    driver_->Start(launch, [&](const absl::StatusOr<RuntimeWorker>& worker) {
      EXPECT_TRUE(absl::IsCancelled(worker.status())) << worker.status();
      ++answers;
    });
  }
  EXPECT_TRUE(Eventually([&] { return engine_.CallsOf(Call::kPull) == 10; }));
  EXPECT_TRUE(List(*driver_).ok());
  EXPECT_EQ(answers, 0);
  driver_.reset();  // And the end of the driver waits for none.
  EXPECT_EQ(answers, 10);
}

TEST_F(DockerWorkload, AWorkerThatIsNotWantedAnyMoreWaitsForNoImage) {
  engine_.Inject(Call::kPull, SimulatedEngine::Hangs(), -1);
  const WorkerLaunch launch = Launch();
  const WorkerLaunch other = Launch(1);
  std::atomic<int> given_up{0};
  std::atomic<int> others{0};
  driver_->Start(launch, [&](const absl::StatusOr<RuntimeWorker>& worker) {
    EXPECT_TRUE(absl::IsCancelled(worker.status())) << worker.status();
    ++given_up;
  });
  driver_->Start(other, [&](const absl::StatusOr<RuntimeWorker>&) { ++others; });
  driver_->GiveUpStart(launch.instance);  // However far the start is by now.
  EXPECT_TRUE(Eventually([&] { return given_up == 1; }));
  EXPECT_EQ(others, 0) << "the other one waits on";
  driver_.reset();
  EXPECT_EQ(given_up, 1);
  EXPECT_EQ(others, 1);
}

TEST_F(DockerWorkload, AnImageThatNobodyHasIsNamedWithWhatToDo) {
  EXPECT_THAT(Refusal(Launch()),
              AllOf(HasSubstr("NOT_FOUND"), HasSubstr("the service web"),
                    HasSubstr(Cat("cannot pull the image ", kImage)), HasSubstr("docker login")));
}

TEST_F(DockerWorkload, AnErrorInTheMiddleOfAPullIsShownInItsWords) {
  engine_.Inject(Call::kPull,
                 SimulatedEngine::Says("{\"status\":\"Downloading\"}\r\n{\"errorDetail\":{},"
                                       "\"error\":\"write /x: no space left on device\"}\r\n"));
  EXPECT_THAT(Refusal(Launch()),
              AllOf(HasSubstr("RESOURCE_EXHAUSTED"), HasSubstr("no space left on device"),
                    HasSubstr("docker system df")));
}

TEST_F(DockerWorkload, APullThatEndsWithoutTheImageIsAnError) {
  engine_.Inject(Call::kPull, SimulatedEngine::Says("{\"status\":\"Downloading\"}\r\n"));
  EXPECT_THAT(Refusal(Launch()), HasSubstr("ended without it"));
}

TEST_F(DockerWorkload, APullThatMakesNoProgressIsGivenUpWithTheLastThatItSaid) {
  driver_.reset();
  pull_patience_ = std::chrono::milliseconds(300);
  BeginDriver();
  FakeEngine::Answer stalls{200, "{\"status\":\"Pulling fs layer\",\"id\":\"aa\"}\n",
                            FakeEngine::Answer::Fault::kStreamUntilRelease};
  engine_.Inject(Call::kPull, {stalls});
  EXPECT_THAT(Refusal(Launch()), AllOf(HasSubstr("DEADLINE_EXCEEDED"), HasSubstr("0 of 1 layers"),
                                       HasSubstr(Cat("docker pull ", kImage))));
  engine_.Inject(Call::kPull, SimulatedEngine::Hangs());
  EXPECT_THAT(Refusal(Launch()), AllOf(HasSubstr("DEADLINE_EXCEEDED"), HasSubstr("no progress")));
}

TEST_F(DockerWorkload, APullThatIsCutOffIsTriedAgainByTheNextStart) {
  engine_.OfferImage(kImage);
  engine_.Inject(Call::kPull, {{200, "", FakeEngine::Answer::Fault::kLost}});
  EXPECT_THAT(Refusal(Launch()), HasSubstr("UNAVAILABLE"));
  EXPECT_TRUE(MustStart(Launch()).running);
}

TEST_F(DockerWorkload, GetsItsVariablesAndVolumesFromTheConfigsDirectory) {
  engine_.AddImage(kImage);
  state_.Write("web.env", "A=1\nB=1\n");
  std::filesystem::create_directory(state_.path() + "/data");
  WorkerLaunch launch = Launch(2);
  launch.workload.environment_files = {"web.env"};
  launch.workload.environment = {{"B", "2"}, {"URL", "http://localhost:{port}"}};
  launch.workload.volumes = {{"./data", "/data", false}};
  MustStart(launch);
  const Json body = CreatedWith("gocomet-web-2-c1");
  EXPECT_EQ(body["Env"], Json::array({"A=1", "B=2", Cat("GOCOMET_INSTANCE=", launch.instance),
                                      "GOCOMET_ORDINAL=2", "GOCOMET_SERVICE=web", "PORT=3000",
                                      "URL=http://localhost:3000"}));
  EXPECT_EQ(body["HostConfig"]["Mounts"][0]["Source"], state_.path() + "/data");
}

TEST_F(DockerWorkload, WithAFileOrVolumeThatIsMissingIsRefusedInWords) {
  engine_.AddImage(kImage);
  WorkerLaunch launch = Launch();
  launch.workload.environment_files = {"no.env"};
  EXPECT_THAT(Refusal(launch),
              AllOf(HasSubstr("the service web"), HasSubstr(state_.path() + "/no.env")));
  launch = Launch();
  launch.workload.volumes = {{"./nowhere", "/data", false}};
  EXPECT_THAT(Refusal(launch),
              AllOf(HasSubstr("the volume for /data"), HasSubstr(state_.path() + "/nowhere")));
}

TEST_F(DockerWorkload, WithACommandAloneIsRefused) {
  WorkerLaunch launch = Launch();
  launch.workload.image.clear();
  launch.workload.command = {"./server"};
  EXPECT_THAT(Refusal(launch), HasSubstr("runtime: process"));
}

TEST_F(DockerWorkload, StopsBySignalOfItsOwnAlsoAfterTheControlPlaneCameBack) {
  engine_.AddImage(kImage);
  WorkerLaunch launch = Launch();
  launch.workload.stop_signal = "SIGQUIT";
  const RuntimeWorker worker = MustStart(launch);
  driver_.reset();
  BeginDriver();
  EXPECT_TRUE(Stop(*driver_, worker.handle).ok());
  EXPECT_THAT(engine_.containers().at(kFirst).signals, ElementsAre("SIGQUIT"));
}

TEST_F(DockerWorkload, ARestartByHandIsAnotherRun) {
  engine_.AddImage(kImage);
  const WorkerLaunch launch = Launch();
  const uint64_t before = MustStart(launch).incarnation;
  EXPECT_NE(before, 0u);
  EXPECT_EQ(Listed(*driver_, launch.instance).incarnation, before);
  engine_.RestartByHand(kFirst);
  EXPECT_NE(Listed(*driver_, launch.instance).incarnation, before);
}

TEST_F(DockerWorkload, AnImageThatSomebodyRemovedMeanwhileIsPulledAgain) {
  engine_.OfferImage(kImage);
  MustStart(Launch(0));
  engine_.RemoveImage(kImage);
  EXPECT_TRUE(MustStart(Launch(1)).running);
  EXPECT_EQ(engine_.CallsOf(Call::kPull), 2);
  EXPECT_THAT(engine_.containers(), SizeIs(2));
}

}  // namespace
}  // namespace gocomet::controlplane
