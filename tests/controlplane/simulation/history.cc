#include "tests/controlplane/simulation/history.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "controlplane/config/config_text.h"
#include "tests/controlplane/simulation/laws.h"
#include "tests/controlplane/simulation/operators.h"
#include "tests/controlplane/simulation/simulated_store.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Turns at one moment before it is said to spin.
constexpr int kTurnsAtOnceMax = 500;

class History {
 public:
  History(uint64_t seed, const Mutant& mutant, bool tell)
      : mutant_(mutant),
        dice_(seed),
        story_(time_, tell),
        store_(setting_, mutant.forgets_rollouts),
        balancers_(setting_, mutant.ignores_draining),
        laws_(setting_, balancers_),
        machine_(setting_, {[this](const std::string& what) { laws_.CheckSecondCall(what); },
                            [this](const SimulatedMachine::Process& process, bool remove) {
                              laws_.CheckStop(process, remove);
                            }}) {
    Revision first;
    first.number = 1;
    first.author = "a history";
    first.source = "file";
    const Config config = FirstConfig(dice_);
    first.content_hash = ContentHash(config);
    first.config_yaml = RenderConfig({config, {}});
    store_.AddFirst(first);
  }
  ~History() { cluster_.reset(); }

  HistoryResult Run() {
    StartControlPlane();
    Meddle();
    RunFor(dice_.Delay(15'000, 60'000), [] { return false; });
    if (!laws_.broken()) CalmDown();
    if (!laws_.broken() && dice_.Chance(30)) StopEverything();
    result_.breach = laws_.breach();
    result_.story = story_.lines();
    return result_;
  }

 private:
  void StartControlPlane() {
    ++result_.lives;
    StoredState rows = store_.Rows();
    laws_.CheckRecovery(rows);
    ParsedConfig parsed = ParseConfig(rows.revisions.back().config_yaml, "");
    if (!parsed.ok()) return laws_.Break(parsed.problems.front().ToString());
    Cluster::Options options;
    options.worker_hash = "worker";
    options.balancer_hash = "balancer";
    options.token = [](const std::string&) { return ""; };
    options.new_instance = [this] { return dice_.Hex12(); };
    options.probe = [this](std::vector<ProbeTarget> targets) { SetTargets(std::move(targets)); };
    options.plan = [this](const Desired& desired, std::span<const Worker> workers,
                          std::span<const Balancer> balancers, SteadyTime now) {
      Plan plan = mutant_.plan != nullptr ? mutant_.plan(desired, workers, balancers, now)
                                          : MakePlan(desired, workers, balancers, now);
      laws_.CheckPlan(desired, workers, plan);
      return plan;
    };
    story_.Tell([&] {
      return Cat("the control plane starts, with revision ", rows.revisions.back().number);
    });
    cluster_ = std::make_unique<Cluster>(std::move(options), machine_, balancers_, store_, time_,
                                         std::move(rows), std::move(parsed.file.config),
                                         balancers_.Adopt());
    balancers_.SpeakTo(cluster_.get());
    cluster_->worker_subscribers().Add([this](const WorkerChange& change) {
      if (change.type == WorkerChange::Type::kChanged) laws_.CheckWorker(change.worker, machine_);
    });
    cluster_->rollouts().subscribers().Add([this](const RolloutRecord& rollout) {
      if (rollout.cause != RolloutCause::kUpgrade) ++result_.rollouts;
      laws_.CheckRollout(rollout);
    });
    cluster_->events().subscribers().Add([this](const Event& event) {
      story_.Tell(
          [&] { return Cat("event: ", event.subject, " ", event.kind, ": ", event.message); });
    });
    cluster_->Begin();
  }

  void KillControlPlane() {
    if (!cluster_) return;
    story_.Tell([] { return std::string("the control plane is killed"); });
    balancers_.SpeakTo(nullptr);
    machine_.ForgetCaller();
    cluster_.reset();
    store_.LoseWhatWaits();
    laws_.ControlPlaneDied();
    targets_.clear();
    time_.In(dice_.Delay(10, 4000), [this] {
      if (!cluster_ && !laws_.broken()) StartControlPlane();
    });
  }

  // --- Time

  // False where it took longer.
  bool RunFor(milliseconds how_long, const std::function<bool()>& met) {
    const SteadyTime end = time_.Steady() + how_long;
    int at_once = 0;
    while (!laws_.broken()) {
      if (met()) return true;
      if (time_.Steady() >= end) return false;
      SteadyTime next = end;
      if (time_.next()) next = std::min(next, *time_.next());
      if (cluster_) next = std::min(next, cluster_->wake());
      next = std::max(next, time_.Steady());
      at_once = next == time_.Steady() ? at_once + 1 : 0;
      if (at_once > kTurnsAtOnceMax) laws_.Break("it spins: time alone does not let it go on");
      time_.MoveTo(next);
      if (!cluster_) continue;
      ++result_.steps;
      finished_ = !cluster_->Step();
    }
    return false;
  }

  // --- Probes

  void SetTargets(std::vector<ProbeTarget> targets) {
    std::map<std::string, ProbeTarget> next;
    for (ProbeTarget& target : targets) {
      std::string name = target.name;
      if (!targets_.contains(name)) ProbeIn(dice_.Delay(1, 100), name);
      next.emplace(std::move(name), std::move(target));
    }
    targets_ = std::move(next);
  }

  void ProbeIn(milliseconds delay, const std::string& instance) {
    time_.In(delay, [this, instance, life = result_.lives] {
      const auto target = targets_.find(instance);
      if (life != result_.lives || !cluster_ || target == targets_.end()) return;
      Probe probe;
      probe.time = time_.Wall();
      probe.passed = machine_.Answers(instance);
      probe.result = probe.passed ? "200" : "no answer";
      cluster_->mailbox().Post(
          [cluster = cluster_.get(), instance, probe] { cluster->ObserveProbe(instance, probe); });
      ProbeIn(std::max<milliseconds>(target->second.interval, milliseconds(400)), instance);
    });
  }

  // --- What goes wrong, and what people ask for

  void Meddle() {
    time_.In(dice_.Delay(50, 2500), [this] {
      if (!setting_.trouble) return;
      MeddleOnce(dice_.Pick(1, 100));
      Meddle();
    });
  }

  void MeddleOnce(uint32_t what) {
    if (what <= 12) return machine_.CrashOne();
    if (what <= 18) return machine_.HangOne();
    if (what <= 21) return machine_.RemoveOneByHand();
    if (what <= 24) return machine_.EngineStopsAnswering(dice_.Delay(500, 12'000));
    if (what <= 28) {
      const uint32_t ordinal = dice_.Pick(0, 4);
      return machine_.TakePortOf(Cat("web-", ordinal), static_cast<uint16_t>(6000 + ordinal));
    }
    if (what <= 33) return balancers_.CrashOne();
    if (what <= 40) return balancers_.BreakOneStream();
    if (what <= 46) return KillControlPlane();
    if (cluster_) Ask(*cluster_, setting_, laws_);
  }

  // --- The end

  bool IsCalm() const {
    if (!cluster_ || !cluster_->Converged()) return false;
    const auto rollouts = cluster_->rollouts().records();
    return std::none_of(rollouts.begin(), rollouts.end(),
                        [](const RolloutRecord& r) { return r.is_active(); });
  }

  void CalmDown() {
    story_.Tell([] { return std::string("no more trouble"); });
    setting_.trouble = false;
    machine_.EngineStopsAnswering(milliseconds(0));
    machine_.FreePorts();
    if (!cluster_) StartControlPlane();
    for (int round = 0; round < 20 && !laws_.broken(); ++round) {
      // A rollback may have brought back what cannot work.
      if (round == 0 || IsBad(cluster_->desired_state().config()))
        AskForCalm(*cluster_, setting_, laws_);
      RunFor(seconds(1), [] { return false; });
      if (RunFor(minutes(1), [this] { return IsCalm(); })) break;
    }
    if (laws_.broken()) return;
    if (!IsCalm()) return laws_.Break("it has not converged in twenty minutes without trouble");
    // What balancers were told last they use a moment later; orphans go at the next look, which a
    // call that is never answered may hold up until its deadline.
    RunFor(seconds(30), [] { return false; });
    if (!laws_.broken()) laws_.CheckConverged(*cluster_, machine_);
  }

  void StopEverything() {
    cluster_->mailbox().Post([this] { cluster_->Stop(); });
    if (!RunFor(minutes(5), [this] { return finished_; })) {
      return laws_.Break("it has not stopped within five minutes");
    }
    laws_.CheckAllGone(machine_);
  }

  const Mutant& mutant_;
  HistoryResult result_;
  SimulatedTime time_;
  Dice dice_;
  Story story_;
  Setting setting_{time_, dice_, story_};
  SimulatedStore store_;
  SimulatedBalancers balancers_;
  Laws laws_;
  SimulatedMachine machine_;
  std::map<std::string, ProbeTarget> targets_;  // By instance.
  bool finished_ = false;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace

HistoryResult RunHistory(uint64_t seed, const Mutant& mutant, bool tell) {
  return History(seed, mutant, tell).Run();
}

}  // namespace gocomet::controlplane
