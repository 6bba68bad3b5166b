#include "controlplane/cluster/plan.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "common/base/text.h"
#include "controlplane/cluster/plan_parts.h"

namespace gocomet::controlplane {
namespace {

constexpr char kNotWanted[] = "no longer wanted";

// On its way out: it no longer counts as a copy of the service.
bool Leaving(const Worker& w) { return w.stop_wanted || w.state == WorkerState::kStopped; }

bool Serving(const Worker& w) { return w.state == WorkerState::kReady; }

// Which of several surplus workers goes first: the one whose loss costs least.
int Worth(const Worker& w) {
  switch (w.state) {
    case WorkerState::kBackOff:
      return 0;
    case WorkerState::kPending:
      return 1;
    case WorkerState::kStarting:
      return w.is_unproven() ? 4 : 2;
    case WorkerState::kUnhealthy:
      return 3;
    default:
      return w.held ? 4 : 5;
  }
}

// Which workers no connected balancer may still send to, nor has a request with. A balancer that
// runs but does not speak to us may still send.
class Drains {
 public:
  explicit Drains(std::span<const Balancer> balancers) : balancers_(balancers) {}

  bool IsDrained(const Worker& w) {
    if (w.drain_version == 0) return false;
    if (!is_known_) Look();
    return w.drain_version <= acknowledged_by_all_ && !has_requests_.contains(w.id);
  }

 private:
  // Once for a whole plan, and only where somebody drains.
  void Look() {
    is_known_ = true;
    for (const Balancer& b : balancers_) {
      if (!b.process_alive) continue;
      const bool speaks = b.connected && b.reported_since_ack;
      acknowledged_by_all_ = std::min(acknowledged_by_all_, speaks ? b.acknowledged_version : 0);
      for (const Balancer::EndpointView& endpoint : b.endpoints) {
        if (endpoint.in_flight != 0) has_requests_.insert(endpoint.worker_id);
      }
    }
  }

  const std::span<const Balancer> balancers_;
  bool is_known_ = false;
  uint64_t acknowledged_by_all_ = std::numeric_limits<uint64_t>::max();
  std::unordered_set<std::string_view> has_requests_;
};

// Plans one service; a service that is no longer wanted is one with no replicas.
class ServicePlanner {
 public:
  ServicePlanner(const ServiceDesire& desire, uint32_t replicas,
                 std::span<const Worker* const> workers, Drains& drains, SteadyTime now, Plan& plan)
      : desire_(desire),
        replicas_(replicas),
        workers_(workers),
        drains_(drains),
        now_(now),
        plan_(plan) {}

  void Run() {
    FinishWhatLeaves();
    LeaveDoubles();
    Count();
    ReplaceWhatStaysUnhealthy();
    ShedSurplus();
    ReplaceOutdated();
    StartMissing();
  }

 private:
  void Wake(SteadyTime at) {
    if (!plan_.wake || at < *plan_.wake) plan_.wake = at;
  }

  // Due now, or wakes the plan when it will be.
  bool Due(SteadyTime at) {
    if (now_ >= at) return true;
    Wake(at);
    return false;
  }

  void FinishWhatLeaves() {
    for (const Worker* w : workers_) {
      if (w->operation != Operation::kNone || !Due(w->retry_at)) continue;
      switch (w->state) {
        case WorkerState::kDraining:
          FinishDrain(*w);
          break;
        case WorkerState::kStopped:
          plan_.actions.emplace_back(RemoveWorker{w->instance});
          break;
        case WorkerState::kBackOff:
          if (!w->handle.empty()) plan_.actions.emplace_back(RemoveWorker{w->instance});
          break;
        case WorkerState::kStarting:
          // What others run may come whenever it likes.
          if (!desire_.spec.workload.endpoints.empty()) break;
          if (Due(w->state_since + desire_.spec.health.start_deadline)) {
            plan_.actions.emplace_back(
                FailWorker{w->instance, Cat("it did not become ready within ",
                                            desire_.spec.health.start_deadline.count(), " ms")});
          }
          break;
        default:
          break;
      }
    }
  }

  void FinishDrain(const Worker& w) {
    if (!w.stop_wanted) return;
    if (drains_.IsDrained(w)) {
      plan_.actions.emplace_back(StopWorker{w.instance, false});
    } else if (Due(w.state_since + desire_.spec.drain_timeout)) {
      plan_.actions.emplace_back(StopWorker{w.instance, true});
    }
  }

  // Two of one name can only be found at a start: one was started in vain, as it seemed.
  void LeaveDoubles() {
    for (size_t i = 1; i < workers_.size(); ++i) {
      const Worker& a = *workers_[i - 1];
      const Worker& b = *workers_[i];
      if (a.ordinal != b.ordinal || Leaving(a) || Leaving(b)) continue;
      const bool first_goes = Worth(a) != Worth(b) ? Worth(a) < Worth(b) : !IsUpToDate(a, desire_);
      Leave(first_goes ? a : b, "another worker has its name");
      doubles_.insert(first_goes ? &a : &b);
    }
  }

  // What goes may still have the port of a successor.
  bool SharesItsName(const Worker& worker) const {
    return std::any_of(workers_.begin(), workers_.end(), [&](const Worker* other) {
      return other != &worker && other->ordinal == worker.ordinal;
    });
  }

  void Count() {
    for (const Worker* w : workers_) {
      if (Leaving(*w) || doubles_.contains(w)) continue;
      // A dead worker stands for its successor, which will be up to date.
      if (w->state == WorkerState::kBackOff || IsUpToDate(*w, desire_)) {
        current_.push_back(w);
      } else {
        outdated_.push_back(w);
      }
    }
  }

  void Leave(const Worker& w, const char* reason) {
    if (w.state == WorkerState::kBackOff) {
      if (w.handle.empty() && w.operation == Operation::kNone) {
        plan_.actions.emplace_back(ForgetWorker{w.instance});
      }
      return;
    }
    if (w.operation == Operation::kStart) return;  // Its answer comes first.
    plan_.actions.emplace_back(DrainWorker{w.instance, reason});
  }

  // One at a time, with pauses that grow, and only where all others are well: a fault that many
  // workers share is not healed by starting them anew. The last one that serves never goes; a
  // successor comes before one that nobody can stand in for.
  void ReplaceWhatStaysUnhealthy() {
    const auto patience = desire_.spec.liveness.restart_after;
    if (patience.count() == 0 || desire_.paused || !outdated_.empty()) return;
    const Worker* longest = nullptr;
    bool can_be_spared = desire_.spec.rollout.max_surge > 0;
    for (const Worker* w : workers_) {
      can_be_spared = can_be_spared || Serving(*w);
      if (w->state == WorkerState::kUnhealthy) {
        const bool due = Due(w->state_since + patience);
        if (due && (longest == nullptr || w->state_since < longest->state_since)) longest = w;
      } else if (w->state != WorkerState::kReady && !w->held) {
        return;
      }
    }
    if (longest == nullptr || !can_be_spared || !Due(desire_.next_liveness_restart)) return;
    plan_.actions.emplace_back(ReplaceWorker{
        longest->instance, Cat("it has been unhealthy for ", patience.count(), " ms")});
  }

  void ShedSurplus() {
    if (desire_.paused) return ShedSurplusWhilePaused();
    if (current_.size() <= replicas_) return;
    std::stable_sort(current_.begin(), current_.end(), IsWorthMore);
    while (current_.size() > replicas_) {
      Leave(*current_.back(), replicas_ == 0 ? kNotWanted : "scaled down");
      current_.pop_back();
    }
  }

  // Old and new ones count alike, and what a surge has brought stays.
  void ShedSurplusWhilePaused() {
    const size_t most = replicas_ == 0 ? 0 : replicas_ + desire_.spec.rollout.max_surge;
    std::vector<const Worker*> all = current_;
    all.insert(all.end(), outdated_.begin(), outdated_.end());
    std::stable_sort(all.begin(), all.end(), IsWorthMore);
    while (all.size() > most) {
      Leave(*all.back(), replicas_ == 0 ? kNotWanted : "scaled down");
      std::erase(current_, all.back());
      std::erase(outdated_, all.back());
      all.pop_back();
    }
  }

  static bool IsWorthMore(const Worker* a, const Worker* b) {
    if (Worth(*a) != Worth(*b)) return Worth(*a) > Worth(*b);
    return a->ordinal < b->ordinal;
  }

  void ReplaceOutdated() {
    const uint32_t floor = replicas_ > desire_.spec.rollout.max_unavailable
                               ? replicas_ - desire_.spec.rollout.max_unavailable
                               : 0;
    // Workers that came up too recently to be trusted do not stand in for old ones yet.
    uint32_t settled = 0;
    for (const Worker* w : current_) {
      if (!Serving(*w)) continue;
      if (Due(w->ready_since.value_or(now_) + desire_.spec.rollout.min_ready)) ++settled;
    }
    uint32_t old_serving = 0;
    for (const Worker* w : outdated_) old_serving += Serving(*w) ? 1 : 0;
    if (desire_.paused) return;
    // Balancers judge for themselves: with nobody else they may still use one that fails its
    // probes.
    uint32_t spared =
        settled + old_serving == 0 && desire_.spec.rollout.max_surge > 0 ? replicas_ : 0;
    for (const Worker* w : outdated_) {
      // Whether it serves is known soon.
      if (w->is_unproven()) continue;
      if (!Serving(*w)) {
        if (w->state == WorkerState::kUnhealthy && spared > 0) {
          --spared;
          continue;
        }
        Leave(*w, replicas_ == 0 ? kNotWanted : "replaced");
      } else if (settled + old_serving > floor) {
        --old_serving;
        Leave(*w, replicas_ == 0 ? kNotWanted : "replaced");
      }
    }
  }

  void StartMissing() {
    for (const Worker* w : current_) {
      if (w->state != WorkerState::kBackOff || !w->handle.empty()) continue;
      if (w->operation != Operation::kNone || !Due(w->next_start) || SharesItsName(*w)) continue;
      const bool earlier = KeepsEarlier() && w->template_hash == desire_.earlier->template_hash;
      Start(w->ordinal, w->instance, earlier);
    }
    const uint32_t ceiling = replicas_ + desire_.spec.rollout.max_surge;
    // A worker in back-off keeps its place, so that a revision that cannot start does not spread
    // over more and more ordinals.
    size_t existing = workers_.size();
    size_t count = current_.size() + (desire_.paused ? outdated_.size() : 0);
    if (count >= replicas_ || existing >= ceiling) return;
    std::unordered_set<uint32_t> used;
    for (const Worker* w : workers_) used.insert(w->ordinal);
    for (uint32_t ordinal = 0; count < replicas_ && existing < ceiling; ++ordinal) {
      if (used.contains(ordinal)) continue;
      if (desire_.spec.host_port_base + ordinal > 65535) return;
      Start(ordinal, "", KeepsEarlier());
      ++count;
      ++existing;
    }
  }

  // While a rollout is paused what it has not proven must not spread.
  bool KeepsEarlier() const { return desire_.paused && desire_.earlier != nullptr; }

  void Start(uint32_t ordinal, const std::string& successor_of, bool earlier) {
    const Service& spec = earlier ? desire_.earlier->spec : desire_.spec;
    plan_.actions.emplace_back(StartWorker{desire_.spec.name, ordinal,
                                           static_cast<uint16_t>(spec.host_port_base + ordinal),
                                           successor_of, earlier});
  }

  const ServiceDesire& desire_;
  const uint32_t replicas_;
  const std::span<const Worker* const> workers_;
  Drains& drains_;
  const SteadyTime now_;
  Plan& plan_;

  std::unordered_set<const Worker*> doubles_;
  std::vector<const Worker*> current_;
  std::vector<const Worker*> outdated_;
};

class WorkersByService {
 public:
  explicit WorkersByService(std::span<const Worker> workers) {
    for (const Worker& w : workers) workers_[w.service].push_back(&w);
  }

  // By ordinal, so that the order in which they became known decides nothing. None at the second
  // call.
  std::vector<const Worker*> Take(std::string_view service) {
    const auto found = workers_.find(service);
    if (found == workers_.end()) return {};
    std::vector<const Worker*> own = std::exchange(found->second, {});
    std::sort(own.begin(), own.end(),
              [](const Worker* a, const Worker* b) { return a->ordinal < b->ordinal; });
    return own;
  }

 private:
  std::unordered_map<std::string_view, std::vector<const Worker*>> workers_;
};

}  // namespace

bool IsUpToDate(const Worker& worker, const ServiceDesire& desire) {
  if (worker.replace_requested) return false;
  const std::vector<std::string>& endpoints = desire.spec.workload.endpoints;
  if (!endpoints.empty()) {
    // One whose start has not been answered holds its address, too.
    return worker.template_hash == desire.template_hash &&
           std::find(endpoints.begin(), endpoints.end(), worker.address) != endpoints.end();
  }
  const auto& accepted = desire.accepted_hashes;
  if (std::find(accepted.begin(), accepted.end(), worker.template_hash) != accepted.end()) {
    return true;
  }
  return worker.template_hash == desire.template_hash &&
         worker.port == desire.spec.host_port_base + worker.ordinal;
}

Plan MakePlan(const Desired& desired, std::span<const Worker> workers,
              std::span<const Balancer> balancers, SteadyTime now) {
  Plan plan;
  PlanBalancers(desired, balancers, now, plan);
  // Workers stay while a balancer may still finish requests with them.
  const bool balancers_gone = std::none_of(balancers.begin(), balancers.end(),
                                           [](const Balancer& b) { return b.process_alive; });
  const bool keep_workers = desired.stopping && !balancers_gone;

  if (keep_workers) return plan;
  WorkersByService by_service(workers);
  Drains drains(balancers);
  for (const ServiceDesire& desire : desired.services) {
    ServicePlanner(desire, desired.stopping ? 0 : desire.spec.replicas,
                   by_service.Take(desire.spec.name), drains, now, plan)
        .Run();
  }
  // Of services that are no longer wanted.
  for (const Worker& w : workers) {
    const std::vector<const Worker*> own = by_service.Take(w.service);
    if (own.empty()) continue;
    ServiceDesire gone;
    gone.spec.name = w.service;
    ServicePlanner(gone, 0, own, drains, now, plan).Run();
  }
  return plan;
}

namespace {

struct ActionText {
  std::string operator()(const StartWorker& a) const {
    return Cat("start ", a.service, "-", a.ordinal, " on port ", a.port,
               a.successor_of.empty() ? "" : " in place of ", a.successor_of,
               a.earlier ? " as before" : "");
  }
  std::string operator()(const DrainWorker& a) const {
    return Cat("drain ", a.instance, ": ", a.reason);
  }
  std::string operator()(const ReplaceWorker& a) const {
    return Cat("replace ", a.instance, ": ", a.reason);
  }
  std::string operator()(const StopWorker& a) const {
    return Cat("stop ", a.instance, a.overdue ? " (drain overdue)" : "");
  }
  std::string operator()(const FailWorker& a) const {
    return Cat("fail ", a.instance, ": ", a.cause);
  }
  std::string operator()(const RemoveWorker& a) const { return Cat("remove ", a.instance); }
  std::string operator()(const ForgetWorker& a) const { return Cat("forget ", a.instance); }
  std::string operator()(const StartBalancer& a) const {
    return Cat("start ", a.name, " on ", a.address);
  }
  std::string operator()(const StopBalancer& a) const { return Cat("stop ", a.name); }
  std::string operator()(const ForgetBalancer& a) const { return Cat("forget ", a.name); }
};

}  // namespace

std::string ToString(const Action& action) { return std::visit(ActionText{}, action); }

}  // namespace gocomet::controlplane
