#include "controlplane/cluster/rollouts.h"

#include <algorithm>
#include <utility>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "controlplane/cluster/rollout_view.h"

namespace gocomet::controlplane {
namespace {

const Service* FindIn(const Config& config, const std::string& name) {
  for (const Service& service : config.services) {
    if (service.name == name) return &service;
  }
  return nullptr;
}

std::string Subject(const RolloutRecord& rollout) { return Cat("service/", rollout.service); }

// Who and why, where somebody said so.
std::string ByWhom(const RolloutRecord& rollout) {
  return Cat("by ", rollout.author, rollout.reason.empty() ? "" : Cat(": ", rollout.reason));
}

}  // namespace

Rollouts::Rollouts(Store& store, EventLog& events, const Clock& clock, DesiredState& desired,
                   std::vector<RolloutRecord> stored, Hooks hooks)
    : store_(store),
      events_(events),
      clock_(clock),
      desired_(desired),
      hooks_(std::move(hooks)),
      records_(std::move(stored)) {
  if (!records_.empty()) last_id_ = records_.back().id;
  for (const RolloutRecord& rollout : records_) {
    if (rollout.is_active()) runs_[rollout.id] = {};
  }
}

const RolloutRecord* Rollouts::Find(uint64_t id) const {
  const auto found = std::find_if(records_.rbegin(), records_.rend(),
                                  [id](const RolloutRecord& r) { return r.id == id; });
  return found == records_.rend() ? nullptr : &*found;
}

RolloutRecord* Rollouts::FindMutable(uint64_t id) { return const_cast<RolloutRecord*>(Find(id)); }

const RolloutRecord* Rollouts::NewestOf(const std::string& service) const {
  const auto found =
      std::find_if(records_.rbegin(), records_.rend(),
                   [&service](const RolloutRecord& r) { return r.service == service; });
  return found == records_.rend() ? nullptr : &*found;
}

void Rollouts::Shape(ServiceDesire& desire) const {
  const RolloutRecord* newest = NewestOf(desire.spec.name);
  desire.template_hash =
      hooks_.template_hash(desire.spec, newest != nullptr ? newest->generation : 0);
  if (newest == nullptr || newest->template_hash != desire.template_hash) return;
  if (!newest->is_active()) {
    desire.accepted_hashes = newest->accepted_hashes;
    return;
  }
  desire.paused = newest->state == RolloutState::kPaused;
  if (const Service* earlier = ServiceIn(newest->good_revision, desire.spec.name)) {
    auto shaped = std::make_shared<ServiceDesire>();
    shaped->spec = *earlier;
    shaped->template_hash = hooks_.template_hash(*earlier, newest->good_generation);
    desire.earlier = std::move(shaped);
  }
}

const Service* Rollouts::ServiceIn(uint64_t revision, const std::string& name) const {
  constexpr size_t kConfigsKept = 64;
  if (revision == 0) return nullptr;
  if (revision == desired_.newest().number) return FindIn(desired_.config(), name);
  auto found = configs_.find(revision);
  if (found == configs_.end()) {
    if (configs_.size() >= kConfigsKept) configs_.clear();
    found = configs_.emplace(revision, desired_.ConfigOf(revision)).first;
  }
  return found->second == nullptr ? nullptr : FindIn(*found->second, name);
}

const Service* Rollouts::WayBack(const RolloutRecord& rollout) const {
  const Service* good = ServiceIn(rollout.good_revision, rollout.service);
  const Service* now = FindIn(desired_.config(), rollout.service);
  if (good == nullptr || now == nullptr) return nullptr;
  const bool differs = good->host_port_base != now->host_port_base ||
                       hooks_.template_hash(*good, 0) != hooks_.template_hash(*now, 0);
  return differs ? good : nullptr;
}

RolloutRecord Rollouts::NewRecord(const Service& service, RolloutCause cause, const Asked& asked) {
  RolloutRecord rollout;
  rollout.id = ++last_id_;
  rollout.service = service.name;
  rollout.wanted = service.replicas;
  rollout.cause = cause;
  rollout.author = asked.author;
  rollout.reason = asked.reason;
  rollout.create_time = clock_.Wall();
  rollout.report.lowest_capacity = hooks_.serving(service.name);
  rollout.report.p99_before = hooks_.recent_p99(service.name);
  return rollout;
}

void Rollouts::SetGood(RolloutRecord& rollout, const RolloutRecord* before) const {
  if (before != nullptr && before->state != RolloutState::kDone) {
    rollout.good_revision = before->good_revision;
    rollout.good_generation = before->good_generation;
  } else {
    rollout.good_revision = rollout.from_revision;
    rollout.good_generation = before != nullptr ? before->generation : 0;
  }
}

std::vector<RolloutRecord> Rollouts::Prepare(const Revision& revision, const ConfigChange& change) {
  std::vector<RolloutRecord> rollouts;
  const auto end = [&](const RolloutRecord* before, RolloutState state, std::string message) {
    if (before == nullptr || !before->is_active()) return;
    EndRollout(rollouts.emplace_back(*before), state, std::move(message), clock_.Wall());
  };
  for (const Service& service : change.config.services) {
    const Service* was = FindIn(desired_.config(), service.name);
    const RolloutRecord* before = NewestOf(service.name);
    const bool intended = change.intent && change.intent->service == service.name;
    const uint64_t old_generation = before != nullptr ? before->generation : 0;
    const uint64_t generation = intended ? change.intent->generation : old_generation;
    const std::string hash = hooks_.template_hash(service, generation);
    const bool stays = was != nullptr && was->host_port_base == service.host_port_base &&
                       hooks_.template_hash(*was, old_generation) == hash;
    if (stays) continue;
    const RolloutCause cause = intended                      ? change.intent->cause
                               : change.source == "rollback" ? RolloutCause::kRollback
                                                             : RolloutCause::kApply;
    RolloutRecord rollout = NewRecord(service, cause, {change.author, change.reason});
    rollout.from_revision = was != nullptr ? desired_.newest().number : 0;
    rollout.to_revision = revision.number;
    rollout.generation = generation;
    rollout.template_hash = hash;
    SetGood(rollout, was != nullptr ? before : nullptr);
    end(before, intended ? change.intent->ends_as : RolloutState::kSuperseded,
        intended ? change.intent->message : Cat("rollout ", rollout.id, " took its place"));
    rollouts.push_back(std::move(rollout));
  }
  for (const Service& service : desired_.config().services) {
    if (FindIn(change.config, service.name) != nullptr) continue;
    end(NewestOf(service.name), RolloutState::kSuperseded,
        Cat("revision ", revision.number, " has no such service"));
  }
  return rollouts;
}

void Rollouts::Take(const std::vector<RolloutRecord>& rollouts) {
  for (const RolloutRecord& rollout : rollouts) {
    RolloutRecord* known = FindMutable(rollout.id);
    if (known == nullptr) {
      records_.push_back(rollout);
      if (rollout.is_active()) runs_[rollout.id] = {};
      Announce({}, rollout);
    } else if (known->is_active()) {  // Otherwise it ended in the meantime.
      const RolloutRecord before = *known;
      known->state = rollout.state;
      known->message = rollout.message;
      known->end_time = rollout.end_time;
      known->accepted_hashes = rollout.accepted_hashes;
      if (known->is_active()) {
        runs_[known->id].pace = {};
      } else {
        runs_.erase(known->id);
        Write(*known);  // With what was counted meanwhile.
      }
      Announce(before, *known);
    }
    Publish(*Find(rollout.id));
  }
  hooks_.changed();
}

void Rollouts::Publish(const RolloutRecord& rollout) { subscribers_.Publish(rollout); }

void Rollouts::Write(const RolloutRecord& rollout) {
  StoreWrite write;
  write.rollouts.push_back(rollout);
  store_.Write(std::move(write));
}

void Rollouts::Announce(const RolloutRecord& before, const RolloutRecord& now) {
  const std::string subject = Subject(now);
  const std::string name = Cat("rollout ", now.id);
  const std::string report =
      now.is_active() ? "" : Cat(now.message.empty() ? "" : "; ", ReportText(now));
  switch (now.state) {
    case RolloutState::kProgressing:
      if (before.id == 0) {
        events_.Info(subject, "RolloutStarted",
                     Cat(name, " (", ToString(now.cause), ") ", ByWhom(now)));
      } else {
        events_.Info(subject, "RolloutResumed", Cat(name, ": ", now.message));
      }
      break;
    case RolloutState::kPaused:
      events_.Warning(subject, "RolloutPaused", Cat(name, ": ", now.message));
      break;
    case RolloutState::kDone:
      events_.Info(subject, "RolloutDone", Cat(name, ": ", now.message, report));
      break;
    case RolloutState::kRolledBack:
      events_.Error(subject, "RolloutRolledBack", Cat(name, ": ", now.message, report));
      break;
    case RolloutState::kFailed:
      events_.Error(subject, "RolloutFailed", Cat(name, ": ", now.message, report));
      break;
    case RolloutState::kAborted:
      events_.Warning(subject, "RolloutAborted", Cat(name, ": ", now.message, report));
      break;
    case RolloutState::kSuperseded:
      events_.Info(subject, "RolloutSuperseded", Cat(name, ": ", now.message, report));
      break;
  }
}

std::optional<SteadyTime> Rollouts::Observe(const Desired& desired,
                                            std::span<const Worker> workers) {
  std::optional<SteadyTime> wake;
  if (runs_.empty()) {
    service_of_.clear();
    return wake;
  }
  const SteadyTime now = clock_.Steady();
  std::vector<uint64_t> active;
  for (const auto& [id, run] : runs_) active.push_back(id);
  for (const uint64_t id : active) {
    RolloutRecord& rollout = *FindMutable(id);
    Run& run = runs_[id];
    const auto desire =
        std::find_if(desired.services.begin(), desired.services.end(),
                     [&rollout](const ServiceDesire& d) { return d.spec.name == rollout.service; });
    // Otherwise another config is on its way, which ends it.
    const bool is_wanted =
        desire != desired.services.end() && desire->template_hash == rollout.template_hash;
    if (!is_wanted || desired_.IsChanging(id)) continue;
    for (const Worker& worker : workers) {
      if (worker.service == rollout.service) service_of_[worker.id] = worker.service;
    }
    outdated_hashes_[rollout.service] = OutdatedHashes(*desire, workers);
    const RolloutRecord before = rollout;
    const RolloutVerdict verdict = ObserveRollout(
        rollout, run.pace, ViewRollout(*desire, workers, now), desire->spec.rollout, now);
    if (verdict == RolloutVerdict::kDone && !run.going_back) {
      rollout.report.p99_after = hooks_.p99_of(rollout.service, rollout.template_hash);
      EndRollout(rollout, RolloutState::kDone, "", clock_.Wall());
      rollout.message = "every worker is new and ready";
    } else if (verdict == RolloutVerdict::kStuck && !run.going_back) {
      Fail(rollout, *desire, workers);
    }
    if (!(rollout == before)) {
      if (rollout.state != before.state) {
        Announce(before, rollout);
        hooks_.changed();
      }
      Write(rollout);
      Publish(rollout);
    }
    const auto stuck_at = StuckAt(rollout, run.pace, desire->spec.rollout);
    if (!rollout.is_active()) {
      runs_.erase(id);
    } else if (stuck_at && !run.going_back && (!wake || *stuck_at < *wake)) {
      wake = stuck_at;
    }
  }
  return wake;
}

void Rollouts::Fail(RolloutRecord& rollout, const ServiceDesire& desire,
                    std::span<const Worker> workers) {
  const std::string why =
      Cat("no progress for ", FormatDuration(desire.spec.rollout.progress_deadline), ": ",
          DiagnoseRollout(desire, workers));
  if (desire.spec.rollout.on_failure == OnFailure::kPause) {
    rollout.state = RolloutState::kPaused;
    rollout.message =
        Cat(why, "; `gocometctl rollout resume ", rollout.service,
            "` tries again, `gocometctl rollout abort ", rollout.service, "` gives it up");
    return;
  }
  const Service* back = WayBack(rollout);
  if (back == nullptr) {
    const std::set<std::string>& hashes = outdated_hashes_[rollout.service];
    rollout.accepted_hashes.assign(hashes.begin(), hashes.end());
    return EndRollout(
        rollout, RolloutState::kFailed,
        Cat(why, rollout.accepted_hashes.empty() ? "; there is nothing to go back to"
                                                 : "; the workers that it has not replaced stay"),
        clock_.Wall());
  }
  RolloutIntent intent;
  intent.service = rollout.service;
  intent.cause = RolloutCause::kRollback;
  intent.ends_as = RolloutState::kRolledBack;
  intent.message = why;
  intent.generation = rollout.good_generation;
  runs_[rollout.id].going_back = true;
  const absl::Status asked = GoBack(
      rollout, *back, std::move(intent),
      {"gocomet", Cat("rollout ", rollout.id, " of ", rollout.service, ": ", why)},
      [this, id = rollout.id](const absl::StatusOr<ConfigChangeResult>& result) {
        const auto run = runs_.find(id);
        if (run != runs_.end()) run->second.going_back = false;
        if (!result.ok()) {
          events_.Error("cluster", "RollbackRefused", std::string(MessageOf(result.status())));
        }
      });
  if (asked.ok()) return;
  EndRollout(rollout, RolloutState::kFailed, Cat(why, "; it cannot go back: ", MessageOf(asked)),
             clock_.Wall());
}

void Rollouts::CountAnswers(const std::string& worker_id, const Ledger::BalancedSums& added) {
  const auto service = service_of_.find(worker_id);
  if (service == service_of_.end()) return;
  for (auto& [id, run] : runs_) {
    RolloutRecord& rollout = *FindMutable(id);
    if (rollout.service != service->second) continue;
    rollout.report.requests += added.answered;
    rollout.report.server_errors += added.by_status_class[4];
    rollout.report.retried += added.retried;
    run.counted = true;
  }
}

void Rollouts::CountOwnErrors(uint64_t added) {
  if (added == 0) return;
  for (auto& [id, run] : runs_) {
    FindMutable(id)->report.balancer_errors += added;
    run.counted = true;
  }
}

void Rollouts::NoteDrain(const std::string& service, std::chrono::milliseconds took) {
  for (auto& [id, run] : runs_) {
    RolloutRecord& rollout = *FindMutable(id);
    if (rollout.service != service || took <= rollout.report.longest_drain) continue;
    rollout.report.longest_drain = took;
    run.counted = true;
  }
}

std::vector<RolloutRecord> Rollouts::TakeCounted() {
  std::vector<RolloutRecord> counted;
  for (auto& [id, run] : runs_) {
    if (desired_.IsChanging(id)) continue;
    if (std::exchange(run.counted, false)) counted.push_back(*Find(id));
  }
  return counted;
}

}  // namespace gocomet::controlplane
