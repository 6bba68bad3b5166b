// The Docker driver against an engine that fails, hangs, lies, or comes and goes.
#include <atomic>
#include <cerrno>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/runtime/engine_client.h"
#include "docker_world.h"
#include "fake_engine.h"

namespace gocomet::controlplane {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Answer = FakeEngine::Answer;
using Request = FakeEngine::Request;

constexpr char kId[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

std::string Message(const std::string& text) { return Cat(R"({"message":")", text, R"("})"); }

// GET /containers/ID/json of a worker of cluster `c1`.
std::string Described(const std::string& status, const std::string& cluster = "c1") {
  const bool running = status == "running";
  return Cat(R"({"Id":")", kId, R"(","Created":"2024-05-06T07:08:09.5Z","State":{"Status":")",
             status, R"(","Running":)", running ? "true" : "false",
             R"(,"Pid":4711,"ExitCode":137,"OOMKilled":true,"Error":"",)",
             R"("FinishedAt":"2024-05-06T08:00:00Z"},"Config":{"Image":"gocomet-worker:1",)",
             R"("Labels":{"gocomet.cluster":")", cluster,
             R"(","gocomet.service":"worker","gocomet.ordinal":"0",)",
             R"("gocomet.instance":"abcdefabcdef","gocomet.template":"t","gocomet.port":"6000"}},)",
             R"("HostConfig":{"PortBindings":{"8080/tcp":[{"HostIp":"127.0.0.1"}]}},)",
             R"("NetworkSettings":{"IPAddress":"172.17.0.2"}})");
}

// Answers of an engine where everything works and there is one worker that was not started yet.
Answer Working(const Request& request) {
  if (request.Is("GET", "/images/")) return {200, "{}"};
  if (request.Is("GET", "/containers/json")) return {200, "[]"};
  if (request.Is("POST", "/containers/create")) return {201, Cat(R"({"Id":")", kId, "\"}")};
  if (request.method == "GET") return {200, Described("created")};
  return {204, ""};
}

class DockerFaults : public DockerWorld {
 protected:
  void Use(FakeEngine::Handler handler,
           std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    driver_.reset();
    engine_ = std::make_unique<FakeEngine>(std::move(handler));
    UseEngine(engine_->host(), patience);
  }

  absl::Status StartOne() { return Start(*driver_, NewLaunch()).status(); }

  std::unique_ptr<FakeEngine> engine_;
};

TEST_F(DockerFaults, AnErrorOfTheEngineIsShownInItsWords) {
  Use([](const Request&) { return Answer{500, Message("the disk is full")}; });
  const absl::Status status = List(*driver_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr("500"), HasSubstr("the disk is full")));
}

TEST_F(DockerFaults, AnEngineThatHangsIsNotWaitedForLongerThanItsPatience) {
  Use(
      [](const Request&) {
        return Answer{0, "", Answer::Fault::kHang};
      },
      std::chrono::milliseconds(300));
  const auto begin = std::chrono::steady_clock::now();
  const absl::Status status = List(*driver_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(DockerFaults, AnswersThatMakeNoSenseAreErrors) {
  for (const char* body : {"", "{", "[1]", "{\"a\":1}", R"([{"Id":7}])", R"([{"Id":"../etc"}])"}) {
    Use([body](const Request&) { return Answer{200, body}; });
    const absl::Status status = List(*driver_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << body;
    EXPECT_THAT(status.ToString(), HasSubstr("not understood")) << body;
  }
}

TEST_F(DockerFaults, AnAnswerThatIsCutOffIsAnError) {
  Use([](const Request&) { return Answer{200, "[]", Answer::Fault::kCut}; });
  EXPECT_EQ(List(*driver_).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(DockerFaults, SpeaksTheVersionOfAnOlderEngine) {
  Use([](const Request&) { return Answer{200, "[]"}; });
  engine_->AnswerVersion(R"({"Version":"17.6","ApiVersion":"1.30","MinAPIVersion":"1.12"})");
  EXPECT_TRUE(List(*driver_).ok());
  EXPECT_EQ(engine_->requests().back().version, "1.30");
}

TEST_F(DockerFaults, RefusesAnEngineThatIsTooOld) {
  Use([](const Request&) { return Answer{200, "[]"}; });
  engine_->AnswerVersion(R"({"Version":"1.9","ApiVersion":"1.21"})");
  const absl::Status status = List(*driver_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.ToString(), HasSubstr("1.24 to 1.41"));
}

TEST_F(DockerFaults, KnowsWhatIsNoEngineAtAll) {
  Use([](const Request&) { return Answer{200, "[]"}; });
  engine_->AnswerVersion("<html>hello</html>");
  EXPECT_THAT(List(*driver_).status().ToString(), HasSubstr("is not a Docker engine"));
}

TEST_F(DockerFaults, ANameThatAStrangerHasIsNamed) {
  Use([](const Request& request) {
    if (request.Is("POST", "/containers/create")) return Answer{409, Message("Conflict")};
    if (request.Is("GET", "/containers/gocomet-worker-0-c1/json")) {
      return Answer{200, Described("exited", "other")};
    }
    return Working(request);
  });
  const absl::Status status = StartOne();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(status.ToString(), HasSubstr("gocomet-worker-0-c1"));
  EXPECT_EQ(engine_->CountOf("DELETE", "/"), 0u);
}

TEST_F(DockerFaults, AnEndedContainerOfOursMakesRoomForItsSuccessor) {
  std::atomic<int> creations{0};
  Use([&](const Request& request) {
    if (request.Is("POST", "/containers/create") && ++creations == 1) {
      return Answer{409, Message("Conflict")};
    }
    if (request.Is("GET", "/containers/gocomet-worker-0-c1/json")) {
      return Answer{200, Described("exited")};
    }
    return Working(request);
  });
  const absl::Status status = StartOne();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(engine_->CountOf("DELETE", Cat("/containers/", kId)), 1u);
  EXPECT_EQ(creations, 2);
}

TEST_F(DockerFaults, ARunningContainerOfOursKeepsItsName) {
  Use([](const Request& request) {
    if (request.Is("POST", "/containers/create")) return Answer{409, Message("Conflict")};
    if (request.Is("GET", "/containers/gocomet-worker-0-c1/json")) {
      return Answer{200, Described("running")};
    }
    return Working(request);
  });
  EXPECT_EQ(StartOne().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(engine_->CountOf("DELETE", "/"), 0u);
}

TEST_F(DockerFaults, ATakenPortIsNamedAndTheHalfMadeContainerRemoved) {
  Use([](const Request& request) {
    if (request.Is("POST", Cat("/containers/", kId, "/start"))) {
      return Answer{500, Message("Bind for 127.0.0.1:6000 failed: port is already allocated")};
    }
    return Working(request);
  });
  const WorkerLaunch launch = NewLaunch();
  const absl::Status status = Start(*driver_, launch).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(status.ToString(), HasSubstr(Cat("port ", launch.port)));
  EXPECT_EQ(engine_->CountOf("DELETE", Cat("/containers/", kId)), 1u);
}

TEST_F(DockerFaults, AnImageThatSomebodyRemovedIsBuiltAgain) {
  std::atomic<bool> built{false};
  Use([&](const Request& request) {
    if (request.Is("GET", "/images/")) {
      return built || engine_->CountOf("POST", "/containers/create") == 0 ? Answer{200, "{}"}
                                                                          : Answer{404, "{}"};
    }
    if (request.Is("POST", "/build")) {
      built = true;
      return Answer{200, R"({"stream":"Successfully built"})"};
    }
    if (request.Is("POST", "/containers/create") && !built) {
      return Answer{404, Message("No such image")};
    }
    return Working(request);
  });
  const absl::Status status = StartOne();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(built);
}

TEST_F(DockerFaults, AFailedBuildShowsWhatItSaid) {
  Use([](const Request& request) {
    if (request.Is("GET", "/images/")) return Answer{404, "{}"};
    return Answer{200, "{\"stream\":\"Step 2/4 : COPY\\n\"}\r\n{\"error\":\"no space left\"}\r\n"};
  });
  const absl::Status status = Prepare(*driver_);
  EXPECT_THAT(status.ToString(), AllOf(HasSubstr("no space left"), HasSubstr("Step 2/4")));
}

TEST_F(DockerFaults, ABuildThatEndsWithoutAnImageIsAnError) {
  Use([](const Request& request) {
    return request.Is("GET", "/images/") ? Answer{404, Message("No such image")}
                                         : Answer{200, "{\"stream\":\"Step 1/4\"}"};
  });
  EXPECT_THAT(Prepare(*driver_).ToString(), HasSubstr("after its build"));
}

TEST_F(DockerFaults, AProgramThatNeedsALoaderIsNotPutIntoAnImage) {
  Use(Working);
  state_.Write("worker", "#!/bin/sh\n", 0700);
  EXPECT_THAT(Prepare(*driver_).ToString(), HasSubstr("not a static program"));
}

TEST_F(DockerFaults, WhatIsGoneCountsAsStoppedAndRemoved) {
  Use([](const Request&) { return Answer{404, Message("No such container")}; });
  EXPECT_TRUE(Stop(*driver_, kId).ok());
  EXPECT_TRUE(Remove(*driver_, kId).ok());
}

TEST_F(DockerFaults, WhatDoesNotRunCountsAsStopped) {
  Use([](const Request& request) {
    return request.method == "POST" ? Answer{409, Message("is not running")}
                                    : Answer{200, Described("exited")};
  });
  EXPECT_TRUE(Stop(*driver_, kId).ok());
}

TEST_F(DockerFaults, AContainerOfAnotherClusterIsNeverRemoved) {
  Use([](const Request&) { return Answer{200, Described("running", "other")}; });
  EXPECT_EQ(Remove(*driver_, kId).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(engine_->CountOf("DELETE", "/"), 0u);
}

TEST_F(DockerFaults, AWorkerThatIgnoresItsSignalIsKilledAfterItsGrace) {
  std::atomic<bool> killed{false};
  Use([&](const Request& request) {
    if (request.target.find("signal=SIGKILL") != std::string::npos) killed = true;
    return request.method == "POST" ? Answer{204, ""}
                                    : Answer{200, Described(killed ? "exited" : "running")};
  });
  EXPECT_TRUE(Stop(*driver_, kId, std::chrono::milliseconds(50)).ok());
  EXPECT_TRUE(killed);
}

TEST_F(DockerFaults, AStopOutlastsAnEngineThatFailsForAWhile) {
  std::atomic<int> looks{0};
  Use([&](const Request& request) {
    if (request.method == "POST") return Answer{204, ""};
    if (request.Is("GET", "/containers/json")) return Answer{200, Cat(R"([{"Id":")", kId, "\"}]")};
    if (++looks == 1) return Answer{200, Described("running")};
    return looks < 5 ? Answer{500, Message("busy")} : Answer{200, Described("exited")};
  });
  ASSERT_TRUE(List(*driver_).ok());
  EXPECT_TRUE(Stop(*driver_, kId).ok());
}

TEST_F(DockerFaults, AnOutOfMemoryKillIsToldWithItsTime) {
  Use([](const Request& request) {
    if (request.Is("GET", "/containers/json")) return Answer{200, Cat(R"([{"Id":")", kId, "\"}]")};
    return Answer{200, Described("exited")};
  });
  const auto workers = List(*driver_);
  ASSERT_TRUE(workers.ok()) << workers.status();
  ASSERT_EQ(workers->size(), 1u);
  const auto& exit = workers->front().exit;
  ASSERT_TRUE(exit.has_value());
  EXPECT_TRUE(exit->out_of_memory);
  EXPECT_EQ(exit->signal, 9);
  EXPECT_EQ(exit->code, -1);
  EXPECT_EQ(exit->time, WallTime(std::chrono::seconds(1714982400)));
}

TEST_F(DockerFaults, SignalsAChangeWhenTheEventsAreCutAndWhenTheyComeBack) {
  std::atomic<int> changes{0};
  Use([](const Request&) { return Answer{200, "", Answer::Fault::kStreamUntilRelease}; });
  driver_->Watch([&] { ++changes; });
  EXPECT_TRUE(Eventually([&] { return changes >= 1; })) << "opened";
  engine_->Release();
  EXPECT_TRUE(Eventually([&] { return changes >= 3; })) << "cut, and opened again";
  EXPECT_GE(engine_->CountOf("GET", "/events"), 2u);
  driver_->Watch(nullptr);
}

TEST_F(DockerFaults, EachEventIsAChange) {
  std::atomic<int> changes{0};
  Use([](const Request&) {
    return Answer{200, "{\"Action\":\"die\"}\n", Answer::Fault::kStreamUntilRelease};
  });
  driver_->Watch([&] { ++changes; });
  EXPECT_TRUE(Eventually([&] { return changes >= 2; })) << "opened, and died";
  driver_->Watch(nullptr);
}

TEST_F(DockerFaults, ALogThatIsNoFrameStreamEndsWithAnError) {
  Use([](const Request&) { return Answer{200, "this is plain text, not frames"}; });
  const std::vector<std::string> lines = LogLines(*driver_, kId, -1);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines.front(), HasSubstr("not a stream of frames"));
}

TEST_F(DockerFaults, ASilentLogStreamIsClosedSoonAfterItsOwnerLeaves) {
  Use([](const Request&) { return Answer{200, "", Answer::Fault::kStreamUntilRelease}; });
  std::atomic<int> ends{0};
  auto stream = driver_->Logs(
      kId, 0, true, [](const RuntimeLogLine&) {}, [&](const absl::Status&) { ++ends; });
  ASSERT_TRUE(stream.ok());
  EXPECT_TRUE(Eventually([&] { return engine_->CountOf("GET", "/containers/") == 1; }));
  stream->reset();
  EXPECT_TRUE(Eventually([&] { return engine_->connections() == 0; }));
  EXPECT_EQ(ends, 0);
}

TEST_F(DockerFaults, DestroyingTheDriverEndsWhatWaits) {
  std::atomic<int> answers{0};
  std::atomic<int> ends{0};
  Use([](const Request& request) {
    if (request.Is("POST", "/containers")) return Answer{204, ""};
    if (request.target.find("/logs") != std::string::npos) {
      return Answer{200, "", Answer::Fault::kStreamUntilRelease};
    }
    return Answer{200, Described("running")};
  });
  driver_->Watch([] {});
  driver_->Stop(kId, std::chrono::seconds(60), [&](const absl::Status& status) {
    EXPECT_TRUE(absl::IsCancelled(status)) << status;
    ++answers;
  });
  const auto stream = driver_->Logs(
      kId, 0, true, [](const RuntimeLogLine&) {}, [&](const absl::Status&) { ++ends; });
  driver_.reset();
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(ends, 1);
}

TEST(DockerProbe, SaysWhatItFound) {
  const FakeEngine engine([](const Request&) { return Answer{}; });
  const auto found = ProbeDockerEngine(engine.host(), std::chrono::seconds(2));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, Cat("Docker 20.10.24 at ", engine.host()));
}

TEST(DockerProbe, SaysThatThereIsNoSocket) {
  const absl::Status status =
      ProbeDockerEngine("unix:///nonexistent/docker.sock", std::chrono::seconds(2)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_THAT(status.ToString(), HasSubstr("DOCKER_HOST"));
}

TEST(DockerProbe, SaysThatNobodyListensOnASocketThatWasLeftBehind) {
  const TemporaryDirectory directory;
  const std::string path = directory.Write("docker.sock", "");
  const absl::Status status = ProbeDockerEngine("unix://" + path, std::chrono::seconds(2)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(status.ToString(), HasSubstr("no Docker engine listens"));
}

TEST(DockerProbe, SaysHowToGetPermission) {
  const TemporaryDirectory directory;
  EngineEndpoint endpoint;
  endpoint.unix_path = directory.Write("docker.sock", "");
  const absl::Status status = TransportError(endpoint, CURLE_COULDNT_CONNECT, EACCES);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(status.ToString(), HasSubstr("group `docker`"));
}

TEST(DockerProbe, DoesNotWaitForAnEngineThatHangs) {
  const TemporaryDirectory directory;
  // The kernel takes the connection; nobody accepts it.
  const UniqueFd listener(ListenUnix(directory.path() + "/docker.sock"));
  const absl::Status status = ProbeDockerEngine("unix://" + directory.path() + "/docker.sock",
                                                std::chrono::milliseconds(200))
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST(DockerProbe, RefusesHostsThatItDoesNotUnderstand) {
  for (const char* host : {"ssh://me@host", "npipe:////./pipe/docker", "unix://relative",
                           "tcp://host", "tcp://host:1/path", "/var/run/docker.sock"}) {
    const absl::Status status = ProbeDockerEngine(host, std::chrono::seconds(1)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << host;
    EXPECT_THAT(status.ToString(), HasSubstr(host));
  }
}

}  // namespace
}  // namespace gocomet::controlplane
