// Seeded histories of one service under a fake clock and a fake runtime that is slow, refuses,
// forgets and lets workers die. After each step the laws must hold, and once nothing goes wrong any
// more the plan must lead to what is wanted. A failure prints its seed.
#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/cluster/transitions.h"
#include "tests/controlplane/cluster/cluster_values.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class World {
 public:
  explicit World(uint64_t seed) : random_(seed), seed_(seed) {
    desired_.services = {WantedService(Pick(1, 5), "1")};
    desired_.services[0].spec.drain_timeout = seconds(20);
    desired_.balancers.count = 1;
  }

  void Run() {
    for (int step = 0; step < 120; ++step) {
      if (Chance(10)) ChangeSomething();
      Step(true);
      if (::testing::Test::HasFailure()) return;
    }
    for (int step = 0; step < 400; ++step) {
      Step(false);
      if (::testing::Test::HasFailure() || Converged()) break;
    }
    EXPECT_TRUE(Converged()) << Story();
  }

 private:
  uint32_t Pick(uint32_t low, uint32_t high) {
    return std::uniform_int_distribution<uint32_t>(low, high)(random_);
  }
  bool Chance(uint32_t percent) { return Pick(1, 100) <= percent; }
  Now now() const { return {now_, WallTime(now_.time_since_epoch())}; }
  std::string Story() const {
    std::string story =
        Cat("seed ", seed_, ", replicas ", desired_.services[0].spec.replicas, "\n");
    for (const std::string& line : story_) story += line + "\n";
    return story;
  }

  void ChangeSomething() {
    if (Chance(50)) {
      desired_.services[0].spec.replicas = Pick(0, 6);
      story_.push_back(Cat("scale to ", desired_.services[0].spec.replicas));
    } else {
      desired_.services[0].template_hash = std::to_string(++template_);
      story_.emplace_back("new template");
    }
  }

  void Step(bool trouble) {
    now_ += milliseconds(Pick(50, 1500));
    for (int pass = 0; pass < 8; ++pass) {
      const Plan plan = MakePlan(desired_, workers_, balancers_, now_);
      for (const Action& action : plan.actions) Perform(action);
      Publish();
      if (plan.actions.empty()) break;
    }
    CheckLaws();
    for (size_t i = 0; i < workers_.size();) i += AdvanceWorker(workers_[i], trouble) ? 1 : 0;
    AdvanceBalancer(trouble);
  }

  Worker* Find(const std::string& instance) {
    for (Worker& w : workers_) {
      if (w.instance == instance) return &w;
    }
    return nullptr;
  }

  void Perform(const Action& action) {
    story_.push_back(ToString(action));
    if (const auto* start = std::get_if<StartWorker>(&action)) {
      Worker worker;
      worker.instance = worker.id = Cat("n", ++born_);
      worker.service = start->service;
      worker.ordinal = start->ordinal;
      worker.port = start->port;
      worker.template_hash = desired_.services[0].template_hash;
      worker.operation = Operation::kStart;
      if (const Worker* before = Find(start->successor_of)) worker.crashes = before->crashes;
      std::erase_if(workers_, [&](const Worker& w) { return w.instance == start->successor_of; });
      EnterState(worker, WorkerState::kPending, "", now());
      workers_.push_back(worker);
    } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
      Worker* worker = Find(drain->instance);
      ASSERT_FALSE(worker->stop_wanted) << "drained twice\n" << Story();
      EnterState(*worker, WorkerState::kDraining, "", now());
      worker->stop_wanted = true;
    } else if (const auto* stop = std::get_if<StopWorker>(&action)) {
      Worker* worker = Find(stop->instance);
      ASSERT_EQ(worker->operation, Operation::kNone) << "two calls at once\n" << Story();
      ASSERT_TRUE(stop->overdue || !sends_to_.contains(worker->id))
          << "stopped while a balancer may send to it\n"
          << Story();
      worker->operation = Operation::kStop;
    } else if (const auto* fail = std::get_if<FailWorker>(&action)) {
      ObserveStartFailure(*Find(fail->instance), {}, now());
    } else if (const auto* remove = std::get_if<RemoveWorker>(&action)) {
      Worker* worker = Find(remove->instance);
      ASSERT_EQ(worker->operation, Operation::kNone) << "two calls at once\n" << Story();
      worker->operation = Operation::kRemove;
    } else if (const auto* forget = std::get_if<ForgetWorker>(&action)) {
      ASSERT_TRUE(Find(forget->instance)->handle.empty()) << "forgot what still exists\n"
                                                          << Story();
      std::erase_if(workers_, [&](const Worker& w) { return w.instance == forget->instance; });
    } else if (const auto* balancer = std::get_if<StartBalancer>(&action)) {
      balancers_ = {ConnectedBalancer(0)};
      balancers_[0].name = balancer->name;
      balancers_[0].reported_since_ack = false;
    }
  }

  // A snapshot leaves for the balancer whenever who drains has changed.
  void Publish() {
    std::map<std::string, bool> content;
    for (const Worker& w : workers_) {
      if (w.state == WorkerState::kReady || w.state == WorkerState::kUnhealthy ||
          w.state == WorkerState::kDraining) {
        content[w.id] = w.state == WorkerState::kDraining;
      }
    }
    if (content != published_) {
      published_ = content;
      ++version_;
    }
    for (Worker& w : workers_) {
      if (w.state == WorkerState::kDraining && w.drain_version == 0) w.drain_version = version_;
    }
  }

  // The balancer takes the newest snapshot late, and may lose its stream for a while.
  void AdvanceBalancer(bool trouble) {
    if (balancers_.empty()) return;
    Balancer& b = balancers_[0];
    if (trouble && Chance(5)) {
      b.connected = false;
      b.acknowledged_version = 0;
      return;
    }
    if (!b.connected) {
      b.connected = Chance(50);
      return;
    }
    if (b.acknowledged_version != version_ && Chance(60)) {
      b.acknowledged_version = version_;
      b.reported_since_ack = false;
      sends_to_.clear();
      for (const auto& [id, draining] : published_) {
        if (!draining) sends_to_.insert(id);
      }
    } else {
      b.reported_since_ack = true;
    }
  }

  // The runtime answers, or something happens to the worker. False where its record is gone.
  bool AdvanceWorker(Worker& w, bool trouble) {
    switch (w.operation) {
      case Operation::kStart:
        if (!Chance(60)) return true;
        w.operation = Operation::kNone;
        if (trouble && Chance(20)) {
          ObserveStartFailure(w, {}, now());
        } else {
          w.handle = w.instance;
          EnterState(w, WorkerState::kStarting, "", now());
        }
        return true;
      case Operation::kStop:
        if (!Chance(60)) return true;
        w.operation = Operation::kNone;
        if (trouble && Chance(20)) {
          w.retry_at = now_ + seconds(1);
        } else if (w.state == WorkerState::kDraining) {
          EnterState(w, WorkerState::kStopped, "", now());
        }
        return true;
      case Operation::kRemove:
        if (!Chance(60)) return true;
        w.operation = Operation::kNone;
        w.handle.clear();
        if (w.state != WorkerState::kStopped) return true;
        workers_.erase(workers_.begin() + (&w - workers_.data()));
        return false;
      default:
        break;
    }
    const bool runs = w.state == WorkerState::kStarting || w.state == WorkerState::kReady ||
                      w.state == WorkerState::kUnhealthy || w.state == WorkerState::kDraining;
    if (runs && trouble && Chance(3)) {
      ObserveExit(w, {}, now());
    } else if (runs) {
      ObserveProbe(w, Probe{.passed = !trouble || Chance(85)}, HealthCheck{}, now());
    }
    return true;
  }

  void CheckLaws() {
    const Service& spec = desired_.services[0].spec;
    std::map<uint32_t, int> on_port;
    for (const Worker& w : workers_) ++on_port[w.port];
    for (const auto& [port, count] : on_port) {
      ASSERT_EQ(count, 1) << "two workers on port " << port << "\n" << Story();
    }
    const size_t grew = workers_.size() > most_ ? workers_.size() : 0;
    most_ = workers_.size();
    ASSERT_LE(grew, spec.replicas + spec.rollout.max_surge) << "more than the surge\n" << Story();
  }

  bool Converged() const {
    const ServiceDesire& desire = desired_.services[0];
    return workers_.size() == desire.spec.replicas &&
           std::all_of(workers_.begin(), workers_.end(), [&](const Worker& w) {
             return w.state == WorkerState::kReady && IsUpToDate(w, desire);
           });
  }

  std::mt19937_64 random_;
  const uint64_t seed_;
  SteadyTime now_ = kStart;
  Desired desired_;
  std::vector<Worker> workers_;
  std::vector<Balancer> balancers_;
  std::map<std::string, bool> published_;
  std::set<std::string> sends_to_;  // What the balancer's own snapshot allows.
  uint64_t version_ = 1;
  size_t most_ = 0;
  int born_ = 0;
  int template_ = 1;
  std::vector<std::string> story_;
};

TEST(PlanSimulation, KeepsItsLawsAndConvergesInEveryHistory) {
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    World(seed).Run();
    if (HasFailure()) break;
  }
}

// A rollout without trouble never serves with fewer workers than are wanted.
TEST(PlanSimulation, ARolloutKeepsFullCapacity) {
  for (uint32_t replicas = 1; replicas <= 5; ++replicas) {
    std::vector<Worker> workers;
    for (uint32_t i = 0; i < replicas; ++i)
      workers.push_back(WorkerIn(WorkerState::kReady, i, "old"));
    const Desired desired = Wanted(replicas);
    int born = 0;
    for (int step = 0; step < 100; ++step) {
      for (const Action& action : MakePlan(desired, workers, {}, kStart).actions) {
        if (const auto* start = std::get_if<StartWorker>(&action)) {
          Worker worker = WorkerIn(WorkerState::kReady, start->ordinal);
          worker.instance = Cat("n", ++born);
          workers.push_back(worker);
        } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
          std::erase_if(workers, [&](const Worker& w) { return w.instance == drain->instance; });
        }
        ASSERT_GE(workers.size(), replicas);
        ASSERT_LE(workers.size(), replicas + 1);
      }
    }
    for (const Worker& worker : workers) EXPECT_EQ(worker.template_hash, "new");
    EXPECT_EQ(born, static_cast<int>(replicas));
  }
}

}  // namespace
}  // namespace gocomet::controlplane
