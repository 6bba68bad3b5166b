#include "controlplane/cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "controlplane/cluster/preview.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kRefreshEvery{5};
// How long the workers of an earlier control plane may take to answer a first probe before
// balancers get a snapshot without those that did not.
constexpr std::chrono::seconds kAdoptionPatience{3};
constexpr std::chrono::milliseconds kStartingProbeInterval{100};
constexpr std::chrono::seconds kStopNowPatience{15};
constexpr int kPassesMax = 16;
// Without a restart for that long the next one is the first again.
constexpr std::chrono::minutes kLivenessForgives{10};

uint64_t Microseconds(WallTime time) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count());
}

}  // namespace

Cluster::Cluster(Options options, RuntimeDriver& driver, BalancerLauncher& launcher, Store& store,
                 const Clock& clock, StoredState stored, Config config, LeftBalancers left_over)
    : options_(std::move(options)),
      runtime_(driver.kind()),
      store_(store),
      clock_(clock),
      events_(store, clock, std::move(stored.events), stored.last_event_sequence),
      ledger_(stored.worker_totals, stored.balanced_totals),
      desired_state_(store, mailbox_, clock, std::move(stored.revisions), std::move(config),
                     DesiredStateHooks()),
      rollouts_(store, events_, clock, desired_state_, std::move(stored.rollouts), RolloutHooks()),
      workers_(driver, mailbox_, events_, clock,
               {.token = options_.token,
                .changed = [this] { dirty_ = true; },
                .new_instance = options_.new_instance}),
      balancers_(launcher, mailbox_, events_, clock,
                 {.changed = [this] { dirty_ = true; },
                  .counted = [this](const auto& totals) { CountBalanced(totals); }}),
      left_over_(std::move(left_over)) {
  if (options_.probe) return;
  prober_ = std::make_unique<Prober>([this](const std::string& instance,
                                            const ProbeResult& result) {
    const Probe probe{result.time, result.target, result.passed, result.result, result.duration};
    mailbox_.Post([this, instance, probe] { ObserveProbe(instance, probe); });
  });
}

Cluster::~Cluster() {
  prober_.reset();
  mailbox_.Close();
}

void Cluster::Run() {
  Begin();
  while (!Finished()) RunTasks(mailbox_.Take(wake()));
  mailbox_.Close();
}

void Cluster::Begin() {
  started_ = clock_.Steady();
  CountBalanced(left_over_.counted);
  for (const absl::Status& status : left_over_.unreadable) {
    events_.Warning("cluster", "CountersUnreadable", std::string(MessageOf(status)));
  }
  balancers_.Adopt(left_over_);
  left_over_ = {};
  workers_.Refresh();
  next_refresh_ = started_ + kRefreshEvery;
  next_turn_ = started_;
}

bool Cluster::Step() {
  if (Finished()) return false;
  RunTasks(mailbox_.TakeNow());
  return true;
}

SteadyTime Cluster::wake() const {
  return timers_.empty() ? next_turn_ : std::min(next_turn_, timers_.begin()->first);
}

void Cluster::RunTasks(std::deque<Mailbox::Task> tasks) {
  for (Mailbox::Task& task : tasks) {
    task();
    task = nullptr;
  }
  const SteadyTime now = clock_.Steady();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    timers_.extract(timers_.begin()).mapped()();
  }
  if (now >= next_refresh_) {
    next_refresh_ = now + kRefreshEvery;
    workers_.Refresh();
  }
  if (dirty_ || now >= next_turn_) Turn();
}

void Cluster::Turn() {
  // A change that is being written begins its own rollouts.
  if (workers_.listed() && !rollouts_begun_ && !desired_state_.is_writing()) {
    rollouts_begun_ = true;
    rollouts_.Begin(DesiredNow()->desired(), workers_.workers());
  }
  next_turn_ = next_refresh_;
  for (int pass = 0; pass < kPassesMax; ++pass) {
    dirty_ = false;
    const std::shared_ptr<const DesiredIndex> wanted = DesiredNow();
    const Desired& desired = wanted->desired();
    PublishSnapshot(desired);
    if (!workers_.listed()) break;
    if (!stopping_) {
      const auto stuck_at = rollouts_.Observe(desired, workers_.workers());
      if (stuck_at) next_turn_ = std::min(next_turn_, *stuck_at);
      if (dirty_) continue;  // A rollout has ended or begun.
    }
    const Plan plan =
        options_.plan(desired, workers_.workers(), balancers_.balancers(), clock_.Steady());
    for (const Action& action : plan.actions) Perform(action, *wanted);
    if (plan.wake) next_turn_ = std::min(next_turn_, *plan.wake);
    if (plan.actions.empty()) break;
  }
  const SteadyTime patience_ends = started_ + kAdoptionPatience;
  if (!adoption_settled_ && clock_.Steady() < patience_ends) {
    next_turn_ = std::min(next_turn_, patience_ends);
  }
  SetProbeTargets(*DesiredNow());
  PublishChanges();
}

void Cluster::PlanAgain() {
  desired_.reset();
  dirty_ = true;
}

void Cluster::Perform(const Action& action, const DesiredIndex& wanted) {
  const auto spec_of = [&](const std::string& instance) {
    const Worker* worker = workers_.Find(instance);
    const ServiceDesire* desire = worker ? wanted.Find(worker->service) : nullptr;
    return desire ? desire->spec : Service{};
  };
  if (const auto* start = std::get_if<StartWorker>(&action)) {
    if (const ServiceDesire* desire = wanted.Find(start->service)) {
      workers_.Perform(*start, *desire);
    }
  } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
    workers_.Perform(*drain);
  } else if (const auto* replace = std::get_if<ReplaceWorker>(&action)) {
    if (const Worker* worker = workers_.Find(replace->instance)) {
      LivenessPace& pace = liveness_[worker->service];
      const SteadyTime now = clock_.Steady();
      if (now - pace.last >= kLivenessForgives) pace.restarts = 0;
      ++pace.restarts;
      pace.last = now;
      desired_.reset();
    }
    workers_.Perform(*replace);
  } else if (const auto* stop = std::get_if<StopWorker>(&action)) {
    if (const Worker* worker = workers_.Find(stop->instance)) {
      rollouts_.NoteDrain(worker->service, std::chrono::duration_cast<std::chrono::milliseconds>(
                                               clock_.Steady() - worker->state_since));
    }
    workers_.Perform(*stop, spec_of(stop->instance));
  } else if (const auto* fail = std::get_if<FailWorker>(&action)) {
    workers_.Perform(*fail, spec_of(fail->instance));
  } else if (const auto* remove = std::get_if<RemoveWorker>(&action)) {
    workers_.Perform(*remove);
  } else if (const auto* forget = std::get_if<ForgetWorker>(&action)) {
    workers_.Perform(*forget);
  } else if (const auto* start_balancer = std::get_if<StartBalancer>(&action)) {
    balancers_.Perform(*start_balancer);
  } else if (const auto* stop_balancer = std::get_if<StopBalancer>(&action)) {
    balancers_.Perform(*stop_balancer);
  } else if (const auto* forget_balancer = std::get_if<ForgetBalancer>(&action)) {
    balancers_.Perform(*forget_balancer);
  }
}

void Cluster::PublishSnapshot(const Desired& desired) {
  if (!adoption_settled_) {
    adoption_settled_ = AdoptionSettled(desired);
    if (!adoption_settled_) return;
  }
  Snapshot next = BuildSnapshot(desired_state_.newest().number, desired, workers_.workers());
  if (!snapshot_ || !snapshot_->SameContent(next)) {
    last_version_ = std::max(last_version_ + 1, Microseconds(clock_.Wall()));
    next.version = last_version_;
    snapshot_ = std::make_shared<const Snapshot>(std::move(next));
    balancers_.Publish(snapshot_);
  }
  workers_.NoteDrainVersion(snapshot_->version);
}

bool Cluster::AdoptionSettled(const Desired& desired) const {
  if (!workers_.listed()) return false;
  if (clock_.Steady() >= started_ + kAdoptionPatience) return true;
  std::map<std::string, size_t> probed;
  for (const Worker& worker : workers_.workers()) {
    if (worker.is_unproven()) return false;
    if (worker.last_probe) ++probed[worker.service];
  }
  // Those that others run are not found again but named again.
  return std::all_of(desired.services.begin(), desired.services.end(),
                     [&](const ServiceDesire& desire) {
                       return probed[desire.spec.name] >= desire.spec.workload.endpoints.size();
                     });
}

void Cluster::SetProbeTargets(const DesiredIndex& wanted) {
  std::vector<ProbeTarget> targets;
  for (const Worker& worker : workers_.workers()) {
    const bool probed = worker.state == WorkerState::kStarting ||
                        worker.state == WorkerState::kReady ||
                        worker.state == WorkerState::kUnhealthy;
    const ServiceDesire* desire = wanted.Find(worker.service);
    if (!probed || desire == nullptr) continue;
    const HealthCheck& health = desire->spec.health;
    ProbeTarget target{
        worker.instance, worker.balancer_address, health.path,
        worker.state == WorkerState::kStarting ? kStartingProbeInterval : health.interval,
        health.timeout};
    target.method = health.method;
    target.expected.clear();
    for (const ExpectedStatus& range : health.expected) {
      target.expected.push_back({range.first, range.last});
    }
    targets.push_back(std::move(target));
  }
  if (targets == probe_targets_) return;
  probe_targets_ = targets;
  if (prober_) return prober_->SetTargets(std::move(targets));
  options_.probe(std::move(targets));
}

void Cluster::ObserveProbe(const std::string& instance, const Probe& probe) {
  const Worker* worker = workers_.Find(instance);
  if (worker == nullptr) return;
  const std::shared_ptr<const DesiredIndex> wanted = DesiredNow();
  if (const ServiceDesire* desire = wanted->Find(worker->service)) {
    workers_.ObserveProbe(instance, probe, desire->spec.health);
  }
}

void Cluster::PublishChanges() {
  for (const auto& gone : workers_.TakeGone()) {
    WorkerChange change{WorkerChange::Type::kRemoved, {}};
    change.worker.id = gone.id;
    change.worker.service = gone.service;
    change.worker.ordinal = gone.ordinal;
    worker_subscribers_.Publish(change);
  }
  for (const std::string& instance : workers_.TakeChanged()) {
    if (const Worker* worker = workers_.Find(instance)) {
      worker_subscribers_.Publish({WorkerChange::Type::kChanged, *worker});
    }
  }
  for (const std::string& name : balancers_.TakeChanged()) {
    Balancer gone;
    gone.name = name;
    gone.state = BalancerState::kStopped;
    const Balancer* balancer = balancers_.Find(name);
    balancer_subscribers_.Publish(balancer != nullptr ? *balancer : gone);
  }
  const bool converged = Converged();
  if (converged && !was_converged_ && !stopping_) {
    events_.Info("cluster", "Converged", "everything that is wanted is ready");
  }
  was_converged_ = converged;
}

bool Cluster::Finished() const {
  if (detached_) return true;
  if (!stopping_) return false;
  if (workers_.workers().empty() && balancers_.balancers().empty()) return true;
  return give_up_at_ && clock_.Steady() >= *give_up_at_;
}

void Cluster::Stop() {
  if (stopping_) return;
  stopping_ = true;
  PlanAgain();
  workers_.GiveUpStarts([](const Worker&) { return true; });
  events_.Info("cluster", "Stopping", "balancers finish what they have, then workers stop");
}

void Cluster::StopNow() {
  stopping_ = true;
  PlanAgain();
  give_up_at_ = clock_.Steady() + kStopNowPatience;
  workers_.GiveUpStarts([](const Worker&) { return true; });
  balancers_.KillAll();
  workers_.KillAll();
}

void Cluster::Detach() { detached_ = true; }

void Cluster::After(std::chrono::milliseconds delay, Mailbox::Task task) {
  timers_.emplace(clock_.Steady() + delay, std::move(task));
}

}  // namespace gocomet::controlplane
