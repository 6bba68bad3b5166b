// The control plane is killed again and again, at moments that nobody chose, while it starts,
// scales, replaces and applies, once per runtime: no request notices, nothing acknowledged is lost,
// and what is there at the end is exactly what was asked for.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gocomet/v1/rollouts.grpc.pb.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;

constexpr int kKillsBetweenChecks = 10;
constexpr uint32_t kWorkersMax = 4;
constexpr int kAcknowledgedPatienceMs = 3000;

int KillsFor(const std::string& runtime) {
  const char* asked = std::getenv("GOCOMET_KILLS");
  if (asked != nullptr) return std::atoi(asked);
  return runtime == "docker" ? 15 : 25;
}

// GOCOMET_SEED, for doing again what failed; the moments of a real system repeat only roughly.
uint32_t Seed() {
  const char* asked = std::getenv("GOCOMET_SEED");
  return asked != nullptr ? static_cast<uint32_t>(std::strtoul(asked, nullptr, 10))
                          : std::random_device()();
}

class Kills : public OnEachRuntime {
 protected:
  void SetUp() override {
    OnEachRuntime::SetUp();
    if (IsSkipped()) return;
    random_.seed(seed_);
    RecordProperty("seed", static_cast<int>(seed_));
    std::cout << "GOCOMET_SEED=" << seed_ << std::endl;
  }

  uint32_t Below(uint32_t end) { return static_cast<uint32_t>(random_() % end); }

  // Asks for something that takes a while, on a system that may be gone.
  void ChangeSomething(System& system) {
    switch (Below(5)) {
      case 0:
        return NoteIfAcknowledged(system, "worker", 1 + Below(kWorkersMax));
      case 1:  // All workers move to other ports.
        return NoteIfAcknowledged(system, "worker-port",
                                  system.first_worker_port() + 10 * Below(3));
      case 2:  // Sent to those that run.
        return NoteIfAcknowledged(system, "avg-delay", 5 + Below(20));
      case 3:  // Balancers hand over to twins.
        return NoteIfAcknowledged(system, "load-balancer-threads", 1 + Below(3));
      default: {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() +
                             milliseconds(kAcknowledgedPatienceMs));
        system.Authenticate(context);
        v1::RestartServiceResponse response;
        (void)system.NewStub<v1::ServiceService>()->RestartService(&context, {}, &response);
      }
    }
  }

  // A change that was not acknowledged may have taken effect all the same.
  void NoteIfAcknowledged(System& system, const std::string& key, uint32_t value) {
    const std::string before = system.keys[key];
    system.keys[key] = std::to_string(value);
    const grpc::Status applied = system.Apply(system.ConfigText());
    if (applied.ok()) {
      ++acknowledged_;
    } else {
      EXPECT_NE(applied.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
          << applied.error_message();
      system.keys[key] = before;
      uncertain_ = true;
    }
  }

  // Everything is as the last acknowledged config says, and nothing else is there.
  void ExpectConverged(System& system) {
    ASSERT_TRUE(system.WaitUntilReady(seconds(60)).ok()) << Events(system);
    if (uncertain_) {
      const grpc::Status applied = system.Apply(system.ConfigText());
      ASSERT_TRUE(applied.ok()) << applied.error_message();
      uncertain_ = false;
    }
    const auto wanted = static_cast<size_t>(std::stoi(system.keys["worker"]));
    const auto first_port = static_cast<uint32_t>(std::stoi(system.keys["worker-port"]));
    ASSERT_TRUE(WaitUntil(
        [&] {
          return IsWhatWasAskedFor(system, wanted, first_port) &&
                 system.WaitUntilReady(seconds(1)).ok();
        },
        seconds(60)))
        << "wanted " << wanted << " workers on ports from " << first_port << "; " << Seen(system)
        << "\n"
        << Events(system);
  }

  static bool IsWhatWasAskedFor(const System& system, size_t wanted, uint32_t first_port) {
    const auto workers = system.Workers();
    std::set<uint32_t> ports;
    for (const v1::Worker& worker : workers) {
      if (worker.status().state() != v1::WORKER_STATE_READY || !worker.status().up_to_date() ||
          worker.spec().port() < first_port) {
        return false;
      }
      ports.insert(worker.spec().port());
    }
    return workers.size() == wanted && ports.size() == wanted && RunningWorkers(system) == wanted;
  }

  // Each worker's successor serves before it goes, whoever finishes the rollout.
  static void ExpectThatSomebodyAlwaysServed(const System& system) {
    grpc::ClientContext context;
    v1::ListRolloutsRequest request;
    request.set_page_size(1000);
    v1::ListRolloutsResponse response;
    const auto status =
        system.NewStub<v1::RolloutService>()->ListRollouts(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const v1::Rollout& rollout : response.rollouts()) {
      EXPECT_GE(rollout.report().lowest_capacity(), 1U) << rollout.ShortDebugString();
    }
  }

  // As the operating system, or the engine, sees it.
  static size_t RunningWorkers(const System& system) {
    const auto everything = system.LeftOvers();
    const std::string what = system.runtime() == "docker" ? "container " : "gocomet-worker ";
    return static_cast<size_t>(std::count_if(
        everything.begin(), everything.end(),
        [&](const std::string& line) { return line.find(what) != std::string::npos; }));
  }

  static std::string Seen(const System& system) {
    std::string text = Cat("the runtime has ", RunningWorkers(system), " workers running:");
    for (const v1::Worker& worker : system.Workers()) {
      text += Cat(" ", worker.name(), " on ", worker.spec().port(), " ",
                  v1::WorkerState_Name(worker.status().state()),
                  worker.status().up_to_date() ? "" : " (outdated)");
    }
    return text;
  }

  const uint32_t seed_ = Seed();
  std::mt19937 random_;
  int acknowledged_ = 0;
  bool uncertain_ = false;
};

TEST_P(Kills, OfTheControlPlaneAtAnyMomentCostNothing) {
  System system(GetParam());
  system.keys["avg-delay"] = "10";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), kHello, 4);
  const int kills = KillsFor(GetParam());
  for (int kill = 1; kill <= kills; ++kill) {
    // Now and then it is killed while it still starts.
    if (Below(4) != 0) {
      (void)system.WaitUntilReady(seconds(20));
      ChangeSomething(system);
    }
    std::this_thread::sleep_for(milliseconds(Below(300)));  // The moment is the test's subject.
    system.KillControlPlane();
    system.Launch();
    if (kill % kKillsBetweenChecks == 0 || kill == kills) {
      ExpectConverged(system);
      if (HasFatalFailure()) break;
    }
  }
  ExpectThatSomebodyAlwaysServed(system);
  const Load::Result result = load.Stop();
  EXPECT_THAT(result.unexpected, IsEmpty()) << Events(system);
  std::cout << kills << " kills, " << acknowledged_ << " acknowledged changes, "
            << result.answered() << " requests answered, " << result.unexpected.size() << " failed"
            << std::endl;
  system.Signal(SIGTERM);
  EXPECT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

GOCOMET_ON_EACH_RUNTIME(Kills);

}  // namespace
}  // namespace gocomet::testing
