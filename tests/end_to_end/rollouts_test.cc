// Rollouts while traffic flows: clients that keep their connections and clients that open new ones
// must not see a single failed request, whatever is replaced, given up or undone.
#include <algorithm>
#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gocomet/v1/rollouts.grpc.pb.h"
#include "tests/end_to_end/all_clients.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// All events, oldest first, for failures that explain themselves.
std::string EventsOf(const System& system) {
  std::string text;
  for (const v1::Event& event : system.Events()) {
    text = Cat(event.subject(), " ", event.kind(), ": ", event.message(), "\n", text);
  }
  return text;
}

v1::ListRolloutsResponse RolloutsOf(const System& system) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + seconds(10));
  v1::ListRolloutsResponse response;
  const grpc::Status status =
      system.NewStub<v1::RolloutService>()->ListRollouts(&context, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

std::set<std::string> Ids(const System& system) {
  std::set<std::string> ids;
  for (const v1::Worker& worker : system.Workers()) ids.insert(worker.id());
  return ids;
}

// Of workers that are killed as soon as they are asked to stop: whatever they had would fail.
class RolloutsOnEachRuntime : public OnEachRuntime {
 protected:
  static void KillAtOnce(System& system) {
    system.keys["avg-delay"] = "5";
    system.keys["services"] = "{worker: {rollout: {max-surge: 2}, stop: {grace: 0s}}}";
  }

  // As many rollouts in a row, each waited for by the client.
  static void RestartAgainAndAgain(const std::string& runtime, const std::string& replicas) {
    constexpr int kTimes = 20;
    System system(runtime);
    system.keys["worker"] = replicas;
    KillAtOnce(system);
    ASSERT_TRUE(system.Start().ok()) << system.output();
    AllClients clients(system);
    clients.AwaitMore();
    for (int i = 0; i < kTimes; ++i) {
      const CommandResult run = system.Ctl({"rollout", "restart", "worker", "--wait"});
      ASSERT_EQ(run.exit_code, 0) << run.output << Events(system);
      EXPECT_THAT(run.output, HasSubstr(Cat(replicas, " of ", replicas, " replaced")));
    }
    EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
    const auto rollouts = RolloutsOf(system);
    ASSERT_EQ(rollouts.rollouts_size(), kTimes);
    for (const v1::Rollout& rollout : rollouts.rollouts()) {
      EXPECT_EQ(rollout.state(), v1::ROLLOUT_STATE_DONE) << rollout.ShortDebugString();
      EXPECT_EQ(rollout.report().server_errors(), 0U);
      EXPECT_EQ(rollout.report().balancer_errors(), 0U);
      EXPECT_EQ(Cat(rollout.report().workers_replaced()), replicas);
      EXPECT_EQ(Cat(rollout.report().lowest_capacity()), replicas);
    }
  }

  static void RestartEachWorker(const System& system) {
    const std::set<std::string> before = Ids(system);
    for (const std::string& id : before) {
      ASSERT_EQ(system.Ctl({"restart", id}).exit_code, 0);
      EXPECT_TRUE(WaitUntil([&] {
        return !Ids(system).contains(id) && system.ReadyWorkers() == before.size();
      })) << Events(system);
    }
  }
};

TEST_P(RolloutsOnEachRuntime, TwentyInARowOfOneReplicaFailNoRequest) {
  RestartAgainAndAgain(GetParam(), "1");
}

TEST_P(RolloutsOnEachRuntime, TwentyInARowOfFiveReplicasFailNoRequest) {
  RestartAgainAndAgain(GetParam(), "5");
}

TEST_P(RolloutsOnEachRuntime, ScalingAndRestartingEachWorkerFailNoRequest) {
  System system(GetParam());
  system.keys["worker"] = "1";
  KillAtOnce(system);
  ASSERT_TRUE(system.Start().ok()) << system.output();
  AllClients clients(system);
  clients.AwaitMore();
  for (const uint32_t replicas : {5U, 2U, 5U, 1U}) {
    ASSERT_TRUE(system.Scale(replicas).ok());
    EXPECT_TRUE(system.WaitForWorkers(replicas)) << Events(system);
    clients.AwaitMore();
    if (replicas != 2) RestartEachWorker(system);
  }
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
}

TEST_P(RolloutsOnEachRuntime, OneThatIsUnderWayWhenTheControlPlaneIsKilledGoesOn) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const std::set<std::string> before = Ids(system);
  AllClients clients(system);
  clients.AwaitMore();
  ASSERT_EQ(system.Ctl({"rollout", "restart", "worker"}).exit_code, 0);
  system.KillControlPlane();
  ASSERT_TRUE(system.Start().ok()) << system.output();

  const CommandResult run = system.Ctl({"rollout", "status", "worker", "--wait"});
  EXPECT_EQ(run.exit_code, 0) << run.output << Events(system);
  clients.AwaitMore();
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
  for (const std::string& id : Ids(system)) EXPECT_FALSE(before.contains(id)) << id;
}

TEST_P(RolloutsOnEachRuntime, IsPausedResumedAndUndone) {
  System system(GetParam());
  const auto set_port = [&system](int port) {
    system.keys["worker-port"] = Cat(port);
    system.keys["services"] = "{worker: {rollout: {min-ready: 1s}, stop: {grace: 0s}}}";
    system.WriteConfig();
  };
  set_port(system.first_worker_port());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  AllClients clients(system);
  clients.AwaitMore();
  const std::set<std::string> before = Ids(system);
  set_port(system.first_worker_port() + 10);
  ASSERT_EQ(system.Ctl({"apply", "-f", system.config_file()}).exit_code, 0);
  ASSERT_EQ(system.Ctl({"rollout", "pause"}).exit_code, 0);
  EXPECT_EQ(system.Ctl({"rollout", "restart"}).exit_code, 4) << "it is paused";
  // Longer than it would take.
  clients.AwaitMore(1000);
  const std::set<std::string> paused = Ids(system);
  for (const std::string& id : before) EXPECT_TRUE(paused.contains(id)) << Events(system);

  const CommandResult resumed = system.Ctl({"rollout", "resume", "--wait"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output << Events(system);
  const std::set<std::string> second = Ids(system);
  for (const std::string& id : before) EXPECT_FALSE(second.contains(id)) << Events(system);

  const CommandResult undone = system.Ctl({"rollout", "undo", "--wait"});
  EXPECT_EQ(undone.exit_code, 0) << undone.output << Events(system);
  EXPECT_THAT(system.Ctl({"config", "show"}).output,
              HasSubstr(Cat("worker-port: ", system.first_worker_port())));
  for (const std::string& id : Ids(system)) EXPECT_FALSE(second.contains(id)) << Events(system);
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
}

TEST_P(RolloutsOnEachRuntime, AWorkerThatHangsIsReplaced) {
  System system(GetParam());
  system.keys["worker"] = "2";
  system.keys["services"] =
      "{worker: {health: {interval: 200ms, timeout: 100ms}, liveness: {restart-after: 1s}, "
      "stop: {grace: 500ms, drain-timeout: 1s}}}";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const v1::Worker hung = system.Workers().front();
  ASSERT_GT(hung.status().pid(), 0) << hung.ShortDebugString();
  ASSERT_EQ(::kill(static_cast<pid_t>(hung.status().pid()), SIGSTOP), 0);
  EXPECT_TRUE(WaitUntil([&] {
    const std::set<std::string> now = Ids(system);
    return now.size() == 2 && !now.contains(hung.id()) && system.ReadyWorkers() == 2;
  })) << Events(system);
  std::set<std::string> kinds;
  for (const v1::Event& event : system.Events()) kinds.insert(event.kind());
  EXPECT_TRUE(kinds.contains("WorkerReplaced")) << Events(system);
}

// What never serves: an image that does not exist, a program that ends at once.
TEST_P(RolloutsOnEachRuntime, ARevisionThatCannotRunIsRolledBackAndSaysWhy) {
  const bool docker = std::string_view(GetParam()) == "docker";
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  AllClients clients(system);
  clients.AwaitMore();
  const std::set<std::string> before = Ids(system);
  for (const char* key : {"avg-delay", "failure"}) system.keys.erase(key);
  const std::string runs = docker ? "image: gocomet-test-of-no-image:1"
                                  : "command: [/bin/sh, -c, 'echo no settings >&2; exit 3']";
  for (const std::string on_failure : {"rollback", "pause"}) {
    system.keys["services"] = Cat(
        "{worker: {", runs, ", rollout: {progress-deadline: 3s, on-failure: ", on_failure, "}}}");
    system.WriteConfig();
    const CommandResult run = system.Ctl({"apply", "-f", system.config_file(), "--wait"});
    EXPECT_EQ(run.exit_code, 7) << run.output << Events(system);
    EXPECT_THAT(run.output, HasSubstr(docker ? "gocomet-test-of-no-image:1"
                                             : "exit 3, last words: no settings"));
    if (on_failure == "pause") {
      const CommandResult aborted = system.Ctl({"rollout", "abort", "worker", "--wait"});
      EXPECT_EQ(aborted.exit_code, 0) << aborted.output << Events(system);
    }
    EXPECT_TRUE(system.WaitForWorkers(before.size())) << Events(system);
    EXPECT_EQ(Ids(system), before) << "the workers that ran are kept";
    clients.AwaitMore();
  }
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
}

// Applies the key's value and waits until two balancers serve that are as `fits` says.
template <typename Fits>
void ChangeBalancers(System& system, const std::string& key, const std::string& value, Fits fits) {
  system.keys[key] = value;
  const grpc::Status applied = system.Apply(system.ConfigText());
  ASSERT_TRUE(applied.ok()) << applied.error_message();
  EXPECT_TRUE(WaitUntil([&] {
    const auto balancers = system.Balancers();
    return balancers.size() == 2 &&
           std::all_of(balancers.begin(), balancers.end(), [&](const v1::Balancer& b) {
             return fits(b.spec()) && b.status().state() == v1::BALANCER_STATE_READY;
           });
  })) << EventsOf(system);
}

void ExpectNoCrash(const System& system) {
  for (const v1::Event& event : system.Events()) {
    EXPECT_NE(event.kind(), "BalancerCrashed") << EventsOf(system);
  }
}

TEST_P(RolloutsOnEachRuntime, BalancersWithOtherThreadsRefuseNoConnection) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  AllClients clients(system);
  clients.AwaitMore();
  for (const char* threads : {"2", "1", "3", "2", "4", "1", "2", "3", "1", "2"}) {
    ChangeBalancers(system, "load-balancer-threads", threads,
                    [&](const auto& spec) { return Cat(spec.threads()) == threads; });
    clients.AwaitMore();
  }
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
  ExpectNoCrash(system);
}

TEST_P(RolloutsOnEachRuntime, BalancersOnOtherAddressesOfTheirPortsRefuseNoConnection) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  AllClients clients(system);
  clients.AwaitMore();
  for (int i = 0; i < 10; ++i) {
    const std::string bind = i % 2 == 0 ? "0.0.0.0" : "127.0.0.1";
    ChangeBalancers(system, "load-balancer-bind", bind,
                    [&](const auto& spec) { return spec.address().starts_with(bind + ":"); });
    clients.AwaitMore();
  }
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
  ExpectNoCrash(system);
}

TEST_P(RolloutsOnEachRuntime, AControlPlaneThatComesBackToAnotherAddressRefusesNoConnection) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  AllClients clients(system);
  clients.AwaitMore();
  for (const char* bind : {"0.0.0.0", "127.0.0.1"}) {
    system.KillControlPlane();
    system.keys["load-balancer-bind"] = bind;
    ASSERT_TRUE(system.Start().ok()) << system.output();
    clients.AwaitMore();
  }
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
  for (const v1::Balancer& b : system.Balancers()) {
    EXPECT_THAT(b.spec().address(), HasSubstr("127.0.0.1:"));
  }
  ExpectNoCrash(system);
}

TEST_P(RolloutsOnEachRuntime, APoolThatMovesByAPortRefusesNoConnectionOnThoseThatStay) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint16_t first = system.balancer_ports().front();
  const auto port_stays = static_cast<uint16_t>(first + 1);
  AllClients clients({port_stays});
  clients.AwaitMore();
  for (int i = 0; i < 10; ++i) {
    const std::string port = Cat(first + (i + 1) % 2);
    std::set<std::string> wanted = {Cat(":", port), Cat(":", first + (i + 1) % 2 + 1)};
    ChangeBalancers(system, "load-balancer-port", port, [&](const auto& spec) {
      return wanted.contains(spec.address().substr(spec.address().rfind(':')));
    });
    clients.AwaitMore();
  }
  EXPECT_THAT(clients.Failures(), IsEmpty()) << Events(system);
  ExpectNoCrash(system);
}

GOCOMET_ON_EACH_RUNTIME(RolloutsOnEachRuntime);

// Services with a command of their own: processes that end at once when they are asked to.
class Rollouts : public ::testing::Test {
 protected:
  Rollouts() : system_("process") {
    for (const char* key : {"avg-delay", "failure"}) system_.keys.erase(key);
    system_.keys["worker"] = "3";
    SetCommand(Serve("1"));
  }
  void SetUp() override {
    ASSERT_TRUE(system_.Start().ok()) << system_.output();
    clients_.emplace(system_);
    clients_->AwaitMore();
  }

  // A worker that no signal finds finishing anything: a shell around it kills it at once.
  std::string Serve(const std::string& version) const {
    return Cat("trap 'kill -9 $p; exit 0' TERM; : ", version, "; ", Program("gocomet-worker"),
               " --bind 127.0.0.1 --port {port} --avg-delay 5 --failure 0 & p=$!; wait");
  }
  // `how` is more of the service, such as its rollout.
  void SetCommand(const std::string& script, const std::string& how = "progress-deadline: 2s") {
    system_.keys["services"] = Cat("{worker: {command: [/bin/sh, -c, \"", script, "\", \"",
                                   system_.directory(), "\"], rollout: {", how, "}}}");
  }
  CommandResult ApplyAndWait() {
    system_.WriteConfig();
    return system_.Ctl({"apply", "-f", system_.config_file(), "--wait"});
  }
  v1::Rollout Newest() const { return RolloutsOf(system_).rollouts(0); }

  void ExpectNoFailure() { EXPECT_THAT(clients_->Failures(), IsEmpty()) << EventsOf(system_); }

  // Of a shell that waits for nobody.
  static constexpr char kNeverReady[] = "exec sleep 600";

  System system_;
  std::optional<AllClients> clients_;
};

TEST_F(Rollouts, WorkersThatExitAtOnceCostNoRequestWhateverReplacesThem) {
  for (int i = 0; i < 3; ++i) {
    SetCommand(Serve(Cat("v", i)));
    const CommandResult applied = ApplyAndWait();
    ASSERT_EQ(applied.exit_code, 0) << applied.output << EventsOf(system_);
    const CommandResult run = system_.Ctl({"rollout", "restart", "--wait"});
    ASSERT_EQ(run.exit_code, 0) << run.output << EventsOf(system_);
  }
  for (const uint32_t replicas : {5U, 1U, 3U}) {
    ASSERT_TRUE(system_.Scale(replicas).ok());
    EXPECT_TRUE(system_.WaitForWorkers(replicas)) << EventsOf(system_);
    clients_->AwaitMore();
  }
  for (const std::string& id : Ids(system_)) {
    ASSERT_EQ(system_.Ctl({"restart", id}).exit_code, 0);
    EXPECT_TRUE(WaitUntil([&] { return !Ids(system_).contains(id); })) << EventsOf(system_);
  }
  EXPECT_TRUE(system_.WaitForWorkers(3)) << EventsOf(system_);
  ExpectNoFailure();
}

TEST_F(Rollouts, ARevisionThatNeverBecomesReadyIsRolledBackByItself) {
  const std::set<std::string> before = Ids(system_);
  SetCommand(kNeverReady);
  const CommandResult run = ApplyAndWait();
  EXPECT_EQ(run.exit_code, 7) << run.output;
  EXPECT_THAT(run.output, HasSubstr("rolled back"));
  EXPECT_THAT(run.output, HasSubstr("no progress for 2s: worker-3 is Starting"));

  EXPECT_TRUE(system_.WaitForWorkers(3)) << EventsOf(system_);
  EXPECT_EQ(Ids(system_), before) << "the workers that ran are kept";
  const CommandResult revisions = system_.Ctl({"get", "revisions"});
  EXPECT_THAT(revisions.output, HasSubstr("rollback   gocomet"));
  EXPECT_EQ(Newest().cause(), v1::ROLLOUT_CAUSE_ROLLBACK);
  EXPECT_TRUE(WaitUntil([&] { return Newest().state() == v1::ROLLOUT_STATE_DONE; }));
  clients_->AwaitMore();
  ExpectNoFailure();
}

TEST_F(Rollouts, AFailureThatPausesWaitsForAnOperator) {
  const std::set<std::string> before = Ids(system_);
  SetCommand(kNeverReady, "progress-deadline: 2s, on-failure: pause");
  const CommandResult run = ApplyAndWait();
  EXPECT_EQ(run.exit_code, 7) << run.output;
  EXPECT_EQ(Newest().state(), v1::ROLLOUT_STATE_PAUSED);
  EXPECT_THAT(Newest().message(), HasSubstr("gocometctl rollout abort worker"));

  const CommandResult aborted = system_.Ctl({"rollout", "abort", "worker", "--wait"});
  EXPECT_EQ(aborted.exit_code, 0) << aborted.output << EventsOf(system_);
  EXPECT_TRUE(system_.WaitForWorkers(3)) << EventsOf(system_);
  EXPECT_EQ(Ids(system_), before);
  ExpectNoFailure();
}

TEST_F(Rollouts, IsPausedResumedAndUndone) {
  SetCommand(Serve("2"), "min-ready: 500ms");
  system_.WriteConfig();
  ASSERT_EQ(system_.Ctl({"apply", "-f", system_.config_file()}).exit_code, 0);
  const CommandResult paused = system_.Ctl({"rollout", "pause"});
  ASSERT_EQ(paused.exit_code, 0) << paused.output;
  EXPECT_EQ(system_.Ctl({"rollout", "restart"}).exit_code, 4) << "it is paused";
  EXPECT_EQ(system_.Ctl({"rollout", "undo"}).exit_code, 4) << "it is under way";
  clients_->AwaitMore(200);
  EXPECT_EQ(Newest().report().workers_replaced(), 0U);

  const CommandResult resumed = system_.Ctl({"rollout", "resume", "--wait"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output << EventsOf(system_);
  EXPECT_EQ(Newest().report().workers_replaced(), 3U);
  const CommandResult undone = system_.Ctl({"rollout", "undo", "--wait"});
  EXPECT_EQ(undone.exit_code, 0) << undone.output << EventsOf(system_);
  EXPECT_THAT(system_.Ctl({"rollout", "history"}).output, HasSubstr("Undo"));
  EXPECT_TRUE(Newest().report().has_p99_before()) << Newest().DebugString();
  EXPECT_TRUE(Newest().report().has_p99_after()) << Newest().DebugString();
  ExpectNoFailure();
}

TEST(RolloutUndo, ThatDoesNotFitTheRestOfTheConfigAnyMoreIsRefusedAndSaysWhy) {
  System system("process");
  system.keys["worker"] = "1";
  system.keys["pool"] = "1";
  const uint16_t port = system.first_worker_port();
  system.keys["worker-port"] = Cat(port);
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto apply = [&system](const std::string& key, int value) {
    system.keys[key] = Cat(value);
    system.WriteConfig();
    const CommandResult applied = system.Ctl({"apply", "-f", system.config_file(), "--wait"});
    ASSERT_EQ(applied.exit_code, 0) << applied.output;
  };
  apply("worker-port", port + 10);
  apply("load-balancer-port", port);
  const CommandResult undone = system.Ctl({"rollout", "undo"});
  EXPECT_EQ(undone.exit_code, 4) << undone.output;
  EXPECT_THAT(undone.output, HasSubstr("what ran before does not fit the rest of the config"));
}

TEST_F(Rollouts, AWaitingClientOutlastsAControlPlaneThatIsKilled) {
  SetCommand(Serve("2"), "min-ready: 1s");
  system_.WriteConfig();
  ASSERT_EQ(system_.Ctl({"apply", "-f", system_.config_file()}).exit_code, 0);
  CommandResult waited;
  std::thread waits([&] { waited = system_.Ctl({"rollout", "status", "--wait"}); });
  clients_->AwaitMore();
  system_.KillControlPlane();
  const absl::Status again = system_.Start();
  waits.join();
  ASSERT_TRUE(again.ok()) << system_.output();
  EXPECT_EQ(waited.exit_code, 0) << waited.output << EventsOf(system_);
  EXPECT_THAT(waited.output, HasSubstr("rollout 1 of service/worker done"));
  ExpectNoFailure();
}

}  // namespace
}  // namespace gocomet::testing
