// Balancers, the control plane and workers are killed at random moments under load, one by one and
// all at once: what balancers counted is exactly what the clients saw, and never goes backwards.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

int KillsFor(const std::string& runtime) {
  const char* asked = std::getenv("GOCOMET_KILLS");
  if (asked != nullptr) return std::atoi(asked);
  return runtime == "docker" ? 5 : 12;
}

uint32_t Seed() {
  const char* asked = std::getenv("GOCOMET_SEED");
  return asked != nullptr ? static_cast<uint32_t>(std::strtoul(asked, nullptr, 10))
                          : std::random_device()();
}

// Clients that count what they see, however often what they ask is killed.
class Witnesses {
 public:
  Witnesses(const std::vector<uint16_t>& ports, int clients) {
    for (int i = 0; i < clients; ++i) {
      const uint16_t port = ports[static_cast<size_t>(i) % ports.size()];
      threads_.emplace_back([this, port] { Watch(port); });
    }
  }
  ~Witnesses() { Stop(); }
  Witnesses(const Witnesses&) = delete;
  Witnesses& operator=(const Witnesses&) = delete;

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  // Whole answers of workers.
  uint64_t answered() const { return answered_; }
  // Requests that may have been answered without arriving here.
  uint64_t broken() const { return broken_; }

 private:
  void Watch(uint16_t port) {
    HttpConnection connection(port);
    while (!stopping_) {
      const auto answer = connection.Get(kHello);
      if (answer.ok() && (answer->status == 200 || answer->body == "Randomized Server Error")) {
        ++answered_;
        continue;
      }
      // Nobody listened: nothing was asked.
      const bool was_refused =
          !answer.ok() && answer.status().message().find("refused") != std::string_view::npos;
      if (!was_refused) ++broken_;
      std::this_thread::sleep_for(milliseconds(2));  // It is not back at once.
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> answered_{0};
  std::atomic<uint64_t> broken_{0};
  std::vector<std::thread> threads_;
};

class CountedKills : public OnEachRuntime {
 protected:
  void SetUp() override {
    OnEachRuntime::SetUp();
    if (IsSkipped()) return;
    random_.seed(seed_);
    std::cout << "GOCOMET_SEED=" << seed_ << std::endl;
  }

  uint32_t Below(uint32_t end) { return static_cast<uint32_t>(random_() % end); }

  static uint64_t Balanced(const v1::Statistics& statistics) {
    uint64_t sum = 0;
    for (const v1::WorkerStatistics& worker : statistics.workers()) {
      sum += worker.balanced().answered();
    }
    return sum;
  }

  static void Kill(int64_t pid) {
    if (pid > 0) ::kill(static_cast<pid_t>(pid), SIGKILL);
  }

  // Returns once all is well again. It must know at least what it knew before.
  void KillSomething(System& system) {
    const auto balancers = system.Balancers();
    const auto workers = system.Workers();
    const auto before = system.Statistics();
    ASSERT_TRUE(before) << system.output();
    EXPECT_GE(Balanced(*before), seen_) << "totals never go backwards";
    seen_ = std::max(seen_, Balanced(*before));
    const uint32_t what = Below(5);
    const bool all_balancers = what == 1 || what == 4;
    const bool control_plane = what == 2 || what == 4;
    if (all_balancers || what == 0) {
      for (const v1::Balancer& balancer : balancers) {
        Kill(balancer.status().pid());
        if (!all_balancers) break;
      }
    }
    if (control_plane) system.KillControlPlane();
    // The last worker lives, so that there is somebody to answer.
    if (what == 3 || what == 4) Kill(workers[Below(2)].status().pid());
    if (control_plane) system.Launch();
    ASSERT_TRUE(WaitUntil(
        [&] {
          const auto now = system.Balancers();
          return system.ReadyWorkers() == workers.size() && now.size() == balancers.size() &&
                 std::all_of(now.begin(), now.end(), [](const v1::Balancer& b) {
                   return b.status().state() == v1::BALANCER_STATE_READY;
                 });
        },
        seconds(60)))
        << system.output() << Events(system);
  }

  const uint32_t seed_ = Seed();
  std::mt19937 random_;
  uint64_t seen_ = 0;
};

TEST_P(CountedKills, LoseNothingThatABalancerHadCounted) {
  System system(GetParam());
  system.keys["avg-delay"] = "2";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Witnesses witnesses(system.balancer_ports(), 4);
  const int kills = KillsFor(GetParam());
  for (int kill = 0; kill < kills; ++kill) {
    std::this_thread::sleep_for(milliseconds(Below(300)));  // The moment is the test's subject.
    KillSomething(system);
    if (HasFatalFailure()) return;
  }
  witnesses.Stop();
  uint64_t balanced = 0;
  EXPECT_TRUE(WaitUntil([&] {
    const auto statistics = system.Statistics();
    if (statistics) balanced = Balanced(*statistics);
    return balanced >= witnesses.answered();
  })) << "balancers counted only "
      << balanced << " of " << witnesses.answered() << " answers that arrived\n"
      << Events(system);
  EXPECT_LE(balanced, witnesses.answered() + witnesses.broken()) << "something is counted twice";
  std::cout << kills << " kills, " << witnesses.answered() << " answers arrived, " << balanced
            << " counted, " << witnesses.broken() << " requests broken off" << std::endl;
}

GOCOMET_ON_EACH_RUNTIME(CountedKills);

}  // namespace
}  // namespace gocomet::testing
