// Services with programs of their own, beside each other and behind routes, once per runtime.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSecret[] = "hunter2-of-the-test";

// A system without the demo worker, whose services run the user's program.
class UserSystem : public System {
 public:
  explicit UserSystem(const std::string& runtime) : System(runtime) {
    for (const char* key : {"worker", "avg-delay", "failure", "worker-port"}) keys.erase(key);
    std::filesystem::create_directory(directory() + "/data");
    // Read by whoever the container's user is.
    ::chmod(directory().c_str(), 0755);
    std::ofstream(directory() + "/data/file") << "of the volume";
    if (runtime == "docker") BuildImage();
  }
  ~UserSystem() {
    if (!image_.empty()) RunCommand({"docker", "rmi", "--force", image_});
  }

  uint16_t port_of(int n) const { return static_cast<uint16_t>(first_worker_port() + n); }

  // The part of a service that says what it runs: with this word, and with `more` keys.
  std::string Runs(const std::string& word, const std::string& more = "") const {
    if (runtime() == "docker") {
      return Cat("{image: \"", image_, "\", command: [/user-program, --port, \"{port}\", --word, ",
                 word, "], container-port: 3000, volumes: [\"./data:/data:ro\"], ", more, "}");
    }
    return Cat("{command: [", GOCOMET_USER_PROGRAM, ", --port, \"{port}\", --word, ", word, "], ",
               more, "}");
  }

  const std::string& image() const { return image_; }

  grpc::Status ApplyKeys() const { return Apply(ConfigText()); }

  // What docker inspect says of the worker, by a Go template.
  std::string Inspect(const std::string& worker_name, const std::string& format) const {
    for (const v1::Worker& worker : Workers()) {
      if (worker.name() != worker_name) continue;
      std::string text = RunCommand({"docker", "inspect", "--format", format, worker.id()}).output;
      return text.substr(0, text.find_last_not_of('\n') + 1);
    }
    return "no such worker";
  }

 private:
  void BuildImage() {
    image_ = Cat("gocomet-e2e-", ::getpid(), ":", first_worker_port());
    const std::string context = directory() + "/image";
    std::filesystem::create_directory(context);
    std::filesystem::copy(GOCOMET_USER_PROGRAM, context + "/user-program");
    std::ofstream(context + "/Dockerfile") << "FROM scratch\nCOPY user-program /user-program\n"
                                              "ENTRYPOINT [\"/user-program\"]\n"
                                              "CMD [\"--word\", \"of the image\"]\n";
    const CommandResult built = RunCommand({"docker", "build", "--tag", image_, context});
    EXPECT_EQ(built.exit_code, 0) << built.output;
    std::filesystem::remove_all(context);
  }

  std::string image_;
};

class Services : public OnEachRuntime {
 protected:
  static std::string Ask(uint16_t port, const std::string& path = "/",
                         const std::vector<std::string>& fields = {}) {
    const auto answer = HttpGet(port, path, fields);
    if (!answer.ok()) return answer.status().ToString();
    return answer->status == 200 ? answer->body : Cat(answer->status, " ", answer->body);
  }

  static std::map<std::string, int> AskMany(uint16_t port, int count) {
    std::map<std::string, int> words;
    HttpConnection connection(port);
    for (int i = 0; i < count; ++i) {
      const auto answer = connection.Get("/");
      ++words[answer.ok() ? answer->body : answer.status().ToString()];
    }
    return words;
  }

  static const v1::Worker* Named(const std::vector<v1::Worker>& workers, const std::string& name) {
    for (const v1::Worker& worker : workers) {
      if (worker.name() == name) return &worker;
    }
    return nullptr;
  }
};

TEST_P(Services, BesideEachOtherGetWhatTheRoutesGiveThem) {
  UserSystem system(GetParam());
  const uint16_t legacy_port = system.port_of(9);
  const auto start_legacy = [&] {
    return Spawn({GOCOMET_USER_PROGRAM, "--port", std::to_string(legacy_port), "--word", "legacy"},
                 system.directory() + "/legacy.log", "");
  };
  int legacy = start_legacy();
  system.keys["services"] =
      Cat("\n  web: ", system.Runs("web", Cat("replicas: 2, port: ", system.port_of(0))),
          "\n  web-next: ", system.Runs("next", Cat("port: ", system.port_of(4))),
          "\n  legacy: {endpoints: [\"127.0.0.1:", legacy_port, "\"], health: {interval: 200ms}}");
  system.keys["routes"] =
      "\n  - {name: testers, headers: {X-Canary: always}, service: web-next}"
      "\n  - {name: old, host: legacy.example.com, service: legacy}"
      "\n  - {name: under, path-prefix: /old, service: legacy}"
      "\n  - {name: canary, services: {web: 90, web-next: 10}}";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  EXPECT_EQ(system.Workers().size(), 4u);

  for (const uint16_t port : system.balancer_ports()) {
    EXPECT_EQ(Ask(port, "/", {"X-Canary: always"}), "next");
    EXPECT_EQ(Ask(port, "/", {"Host: legacy.example.com"}), "legacy");
    EXPECT_EQ(Ask(port, "/old/x"), "legacy");
    const auto words = AskMany(port, 200);
    EXPECT_EQ(words, (std::map<std::string, int>{{"next", 20}, {"web", 180}}));
  }

  // The endpoint is gone, and comes back; nobody else notices.
  const uint16_t port = system.balancer_ports().front();
  ::kill(legacy, SIGKILL);
  ASSERT_TRUE(WaitForPid(legacy, seconds(5)).has_value());
  EXPECT_THAT(Ask(port, "/old"), HasSubstr("503"));
  EXPECT_EQ(AskMany(port, 20)["503"], 0);
  EXPECT_TRUE(WaitUntil([&] {
    const auto workers = system.Workers();
    const v1::Worker* worker = Named(workers, "legacy-0");
    return worker != nullptr && worker->status().state() == v1::WORKER_STATE_UNHEALTHY;
  })) << Events(system);
  legacy = start_legacy();
  EXPECT_TRUE(WaitUntil([&] { return Ask(port, "/old") == "legacy"; })) << Events(system);

  // A stop ends what GoComet has started, and nothing else.
  system.Signal(SIGTERM);
  EXPECT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_EQ(Ask(legacy_port), "legacy");
  ::kill(legacy, SIGKILL);
  WaitForPid(legacy, seconds(5));
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

TEST_P(Services, AProgramThatEndsAtOnceOnItsSignalIsRolledOutWithoutAFailedRequest) {
  UserSystem system(GetParam());
  const std::string ports = Cat("replicas: 2, port: ", system.port_of(0));
  system.keys["services"] = Cat("\n  web: ", system.Runs("one", ports));
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), "/", 4);
  for (const char* word : {"two", "three"}) {
    system.keys["services"] = Cat("\n  web: ", system.Runs(word, ports));
    ASSERT_TRUE(system.ApplyKeys().ok());
    ASSERT_TRUE(
        WaitUntil([&] { return Ask(system.balancer_ports().front()) == word; }, seconds(60)))
        << Events(system);
    ASSERT_TRUE(system.WaitUntilReady(seconds(60)).ok()) << Events(system);
    EXPECT_EQ(AskMany(system.balancer_ports().front(), 20)[word], 20);
  }
  // One that is killed is replaced.
  const auto workers = system.Workers();
  ASSERT_EQ(workers.size(), 2u);
  const v1::Worker& first = workers.front();
  ::kill(static_cast<pid_t>(first.status().pid()), SIGKILL);
  EXPECT_TRUE(WaitUntil([&] {
    const auto now = system.Workers();
    const v1::Worker* successor = Named(now, first.name());
    return successor != nullptr && successor->id() != first.id() && system.ReadyWorkers() == 2;
  })) << Events(system);
  EXPECT_THAT(load.Stop().unexpected, IsEmpty()) << Events(system);
}

TEST_P(Services, AProgramFindsItsVariablesAndNobodyElseDoes) {
  UserSystem system(GetParam());
  std::ofstream(system.directory() + "/web.env") << "FROM_FILE=file\nBOTH=file\n";
  system.keys["services"] = Cat(
      "\n  web: ",
      system.Runs("web", Cat("port: ", system.port_of(0),
                             ", environment-files: [web.env], environment: {BOTH: own, PASSWORD: ",
                             kSecret, ", URL: \"http://localhost:{port}\"}")));
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint16_t port = system.balancer_ports().front();
  const std::string inside = GetParam() == std::string("docker") ? "3000" : Cat(system.port_of(0));
  EXPECT_EQ(Ask(port, "/variable/FROM_FILE"), "file");
  EXPECT_EQ(Ask(port, "/variable/BOTH"), "own");
  EXPECT_EQ(Ask(port, "/variable/PASSWORD"), kSecret);
  EXPECT_EQ(Ask(port, "/variable/PORT"), inside);
  EXPECT_EQ(Ask(port, "/variable/URL"), Cat("http://localhost:", inside));
  EXPECT_EQ(Ask(port, "/variable/GOCOMET_SERVICE"), "web");
  if (inside == "3000") {
    EXPECT_EQ(Ask(port, "/file"), "of the volume");
  }
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"get", "workers", "-o", "yaml"}, {"describe", "worker", "web-0"}, {"events"}}) {
    const CommandResult shown = system.Ctl(command);
    EXPECT_EQ(shown.exit_code, 0) << shown.output;
    EXPECT_EQ(shown.output.find(kSecret), std::string::npos) << shown.output;
  }
  EXPECT_EQ(system.output().find(kSecret), std::string::npos) << system.output();
  EXPECT_THAT(system.Ctl({"logs", "web-0"}).output, HasSubstr("user-program says 'web'"));
}

TEST_P(Services, AProgramThatCannotRunSaysWhyAndLeavesTheOthersAlone) {
  UserSystem system(GetParam());
  const std::string good = Cat("\n  web: ", system.Runs("web", Cat("port: ", system.port_of(0))));
  system.keys["services"] = good;
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const std::string key = GetParam() == std::string("docker")
                              ? Cat("image: \"", system.image(), "\", command: [/no-such-program]")
                              : "command: [./no-such-program]";
  system.keys["services"] = Cat(good, "\n  bad: {", key, ", port: ", system.port_of(5), "}");
  system.keys["routes"] =
      "[{name: bad, path-prefix: /bad, service: bad}, {name: web, service: web}]";
  const grpc::Status applied = system.ApplyKeys();
  ASSERT_TRUE(applied.ok()) << applied.error_message();
  EXPECT_TRUE(WaitUntil([&] {
    const auto workers = system.Workers();
    const v1::Worker* worker = Named(workers, "bad-0");
    return worker != nullptr && worker->status().state() == v1::WORKER_STATE_BACK_OFF;
  })) << Events(system);
  const std::string described = system.Ctl({"describe", "worker", "bad-0"}).output;
  EXPECT_THAT(described, AllOf(HasSubstr("the service bad"), HasSubstr("no-such-program")));
  EXPECT_EQ(Ask(system.balancer_ports().front()), "web");
  system.Signal(SIGTERM);
  EXPECT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

GOCOMET_ON_EACH_RUNTIME(Services);

class ServicesInContainers : public Services {};

TEST_P(ServicesInContainers, HaveTheLimitsAndOnlyThePrivilegesOfTheirService) {
  UserSystem system(GetParam());
  system.keys["services"] =
      Cat("\n  web: ",
          system.Runs("web", Cat("port: ", system.port_of(0),
                                 ", resources: {memory: 32MiB, cpus: 0.5, pids: 50}, "
                                 "user: \"1234:1234\", stop: {signal: SIGINT, grace: 3s}")));
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto inspect = [&](const std::string& format) { return system.Inspect("web-0", format); };
  EXPECT_EQ(inspect("{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}"), "33554432 33554432");
  EXPECT_EQ(inspect("{{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"), "500000000 50");
  EXPECT_EQ(inspect("{{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}}"), "[ALL] []");
  EXPECT_EQ(inspect("{{.HostConfig.SecurityOpt}} {{.HostConfig.ReadonlyRootfs}}"),
            "[no-new-privileges] true");
  EXPECT_EQ(inspect("{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}"),
            "json-file map[max-file:3 max-size:10m]");
  EXPECT_EQ(inspect("{{(index (index .HostConfig.PortBindings \"3000/tcp\") 0).HostIp}}"),
            "127.0.0.1");
  EXPECT_EQ(inspect("{{.Config.User}} {{.Config.StopSignal}} {{.Config.StopTimeout}}"),
            "1234:1234 SIGINT 3");
  EXPECT_EQ(inspect("{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Privileged}}"), "no false");
}

TEST_P(ServicesInContainers, OneThatNeedsMoreThanItsMemoryIsReplacedAndSaysSo) {
  UserSystem system(GetParam());
  system.keys["services"] =
      Cat("\n  web: ", system.Runs("web", Cat("replicas: 2, port: ", system.port_of(0),
                                              ", resources: {memory: 16MiB}")));
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint16_t port = system.balancer_ports().front();
  (void)HttpGet(system.port_of(0), "/eat");
  EXPECT_TRUE(WaitUntil([&] { return Events(system).find("WorkerCrashed") != std::string::npos; }))
      << Events(system);
  EXPECT_THAT(Events(system), HasSubstr("for lack of memory: raise its memory limit"));
  EXPECT_EQ(AskMany(port, 50)["web"], 50);
  EXPECT_TRUE(WaitUntil([&] { return system.ReadyWorkers() == 2; })) << Events(system);
}

TEST_P(ServicesInContainers, ThatSomebodyStopsOrRemovesByHandAreReplacedAndNoRequestFails) {
  UserSystem system(GetParam());
  system.keys["services"] =
      Cat("\n  web: ", system.Runs("web", Cat("replicas: 2, port: ", system.port_of(0))));
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), "/", 4);
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"docker", "stop"}, {"docker", "rm", "--force"}}) {
    const auto workers = system.Workers();
    ASSERT_EQ(workers.size(), 2u);
    const std::string id = workers.front().id();
    std::vector<std::string> by_hand = command;
    by_hand.push_back(id);
    ASSERT_EQ(RunCommand(by_hand).exit_code, 0);
    EXPECT_TRUE(WaitUntil([&] {
      const auto now = system.Workers();
      const bool is_gone =
          std::none_of(now.begin(), now.end(), [&](const v1::Worker& w) { return w.id() == id; });
      return is_gone && system.ReadyWorkers() == 2;
    })) << Events(system);
  }
  EXPECT_THAT(load.Stop().unexpected, IsEmpty()) << Events(system);
}

TEST_P(ServicesInContainers, ThatSomebodyPausesSaySoUntilTheyGoOn) {
  UserSystem system(GetParam());
  system.keys["services"] =
      Cat("\n  web: ", system.Runs("web", Cat("replicas: 2, port: ", system.port_of(0),
                                              ", health: {interval: 200ms, timeout: 200ms}")));
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto state = [&] {
    const auto workers = system.Workers();
    const v1::Worker* worker = Named(workers, "web-0");
    return worker == nullptr ? std::string()
                             : Cat(v1::WorkerState_Name(worker->status().state()), " ",
                                   worker->status().reason());
  };
  const auto workers = system.Workers();
  const std::string id = Named(workers, "web-0")->id();
  ASSERT_EQ(RunCommand({"docker", "pause", id}).exit_code, 0);
  EXPECT_TRUE(WaitUntil([&] {
    return state() == Cat("WORKER_STATE_UNHEALTHY paused by hand: docker unpause ", id);
  })) << state();
  EXPECT_EQ(AskMany(system.balancer_ports().front(), 20)["web"], 20);
  ASSERT_EQ(RunCommand({"docker", "unpause", id}).exit_code, 0);
  EXPECT_TRUE(WaitUntil([&] { return state() == "WORKER_STATE_READY "; })) << state();
}

TEST_P(ServicesInContainers, WithoutACommandTheImagesOwnRuns) {
  UserSystem system(GetParam());
  system.keys["services"] =
      Cat("\n  web: {image: \"", system.image(), "\", port: ", system.port_of(0),
          ", volumes: [\"./data:/data:ro\"]}");
  ASSERT_TRUE(system.Start().ok()) << system.output();
  EXPECT_EQ(Ask(system.balancer_ports().front()), "of the image");
}

TEST_P(ServicesInContainers, AnImageThatNobodyHasIsNamed) {
  UserSystem system(GetParam());
  system.keys["services"] =
      Cat("\n  web: {image: \"localhost:1/no/such:image\", port: ", system.port_of(0), "}");
  system.Launch();
  EXPECT_TRUE(WaitUntil([&] {
    return system.output().find("cannot pull the image localhost:1/no/such:image") !=
           std::string::npos;
  })) << system.output();
  EXPECT_THAT(system.output(), HasSubstr("check the registry's name"));
}

INSTANTIATE_TEST_SUITE_P(OnRuntime, ServicesInContainers, ::testing::Values("docker"),
                         [](const auto& runtime) { return std::string(runtime.param); });

}  // namespace
}  // namespace gocomet::testing
