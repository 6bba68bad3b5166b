// What operators ask of rollouts, and what a control plane finds at its start.
#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/cluster/rollout_view.h"
#include "controlplane/cluster/rollouts.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

std::string ByWhom(std::string_view verb, const Asked& asked) {
  return Cat(verb, " by ", asked.author, asked.reason.empty() ? "" : Cat(": ", asked.reason));
}

absl::Status NoRollout(const std::string& service) {
  return absl::NotFoundError(Cat("service ", service,
                                 " has had no rollout; `gocometctl rollout restart ", service,
                                 "` begins one"));
}

}  // namespace

// Takes what `prepare` answers once it is durable; the last one is the answer.
void Rollouts::Change(DesiredState::Prepare prepare, Done done) {
  desired_.WriteRollouts(
      std::move(prepare),
      [this, done = std::move(done)](const absl::StatusOr<std::vector<RolloutRecord>>& written) {
        if (!written.ok()) return done(written.status());
        Take(*written);
        done(*Find(written->back().id));
      });
}

void Rollouts::Restart(const std::string& service, const Asked& asked, Done done) {
  Change(
      [this, service, asked]() -> absl::StatusOr<std::vector<RolloutRecord>> {
        const Service* spec = ServiceIn(desired_.newest().number, service);
        if (spec == nullptr) return absl::NotFoundError(Cat("there is no service '", service, "'"));
        std::vector<RolloutRecord> rollouts;
        const RolloutRecord* before = NewestOf(service);
        if (before != nullptr && before->state == RolloutState::kPaused) {
          return absl::FailedPreconditionError(Cat(
              "rollout ", before->id, " of ", service, " is paused; `gocometctl rollout resume ",
              service, "` lets it go on, `gocometctl rollout abort ", service, "` gives it up"));
        }
        RolloutRecord rollout = NewRecord(*spec, RolloutCause::kRestart, asked);
        rollout.from_revision = rollout.to_revision = desired_.newest().number;
        for (const RolloutRecord& known : records_) {
          if (known.service != service) continue;
          rollout.generation = std::max({rollout.generation, known.generation});
        }
        ++rollout.generation;
        rollout.template_hash = hooks_.template_hash(*spec, rollout.generation);
        SetGood(rollout, before);
        if (before != nullptr && before->is_active()) {
          EndRollout(rollouts.emplace_back(*before), RolloutState::kSuperseded,
                     Cat("rollout ", rollout.id, " took its place"), clock_.Wall());
        }
        rollouts.push_back(std::move(rollout));
        return rollouts;
      },
      std::move(done));
}

void Rollouts::Pause(const std::string& service, const Asked& asked, Done done) {
  Change(
      [this, service, asked]() -> absl::StatusOr<std::vector<RolloutRecord>> {
        const RolloutRecord* newest = NewestOf(service);
        if (newest == nullptr) return NoRollout(service);
        RolloutRecord paused = *newest;
        GOCOMET_RETURN_IF_ERROR(PauseRollout(paused, ByWhom("paused", asked)));
        return std::vector{std::move(paused)};
      },
      std::move(done));
}

void Rollouts::Resume(const std::string& service, const Asked& asked, Done done) {
  Change(
      [this, service, asked]() -> absl::StatusOr<std::vector<RolloutRecord>> {
        const RolloutRecord* newest = NewestOf(service);
        if (newest == nullptr) return NoRollout(service);
        RolloutRecord resumed = *newest;
        RolloutPace pace;
        GOCOMET_RETURN_IF_ERROR(ResumeRollout(resumed, pace, ByWhom("resumed", asked)));
        return std::vector{std::move(resumed)};
      },
      std::move(done));
}

void Rollouts::Abort(const std::string& service, const Asked& asked, Done done) {
  const RolloutRecord* newest = NewestOf(service);
  if (newest == nullptr) return done(NoRollout(service));
  if (const absl::Status active = CheckUnderWay(*newest); !active.ok()) return done(active);
  const uint64_t id = newest->id;
  if (const Service* back = WayBack(*newest)) {
    RolloutIntent intent;
    intent.service = service;
    intent.cause = RolloutCause::kRollback;
    intent.ends_as = RolloutState::kAborted;
    intent.message = ByWhom("aborted", asked);
    intent.generation = newest->good_generation;
    const absl::Status begun =
        GoBack(*newest, *back, std::move(intent), asked,
               [this, id, done](const absl::StatusOr<ConfigChangeResult>& result) {
                 if (!result.ok()) return done(result.status());
                 done(*Find(id));
               });
    if (!begun.ok()) std::move(done)(begun);
    return;
  }
  if (newest->good_revision == 0 && newest->from_revision == 0) {
    return done(absl::FailedPreconditionError(
        Cat("rollout ", id, " is the first of ", service,
            ", so there is nothing to go back to; apply a config without the service, or scale it "
            "to 0")));
  }
  Change(
      [this, service, id, asked]() -> absl::StatusOr<std::vector<RolloutRecord>> {
        const RolloutRecord* now = NewestOf(service);
        if (now == nullptr || now->id != id) {
          return absl::FailedPreconditionError(
              Cat("rollout ", id, " of ", service, " was superseded meanwhile"));
        }
        GOCOMET_RETURN_IF_ERROR(CheckUnderWay(*now));
        RolloutRecord aborted = *now;
        const std::set<std::string>& hashes = outdated_hashes_[service];
        aborted.accepted_hashes.assign(hashes.begin(), hashes.end());
        EndRollout(aborted, RolloutState::kAborted, ByWhom("aborted", asked), clock_.Wall());
        return std::vector{std::move(aborted)};
      },
      std::move(done));
}

void Rollouts::Undo(const std::string& service, const Asked& asked, Done done) {
  const RolloutRecord* newest = NewestOf(service);
  if (newest == nullptr) return done(NoRollout(service));
  const auto changes = [](const RolloutRecord& r) {
    return r.cause != RolloutCause::kRestart && r.cause != RolloutCause::kUpgrade;
  };
  const auto last = std::find_if(records_.rbegin(), records_.rend(), [&](const RolloutRecord& r) {
    return r.service == service && (r.is_active() || changes(r));
  });
  if (last == records_.rend()) {
    return done(
        absl::FailedPreconditionError(Cat("every rollout of ", service,
                                          " that is known only brought fresh workers; there is "
                                          "nothing to go back to")));
  }
  if (const absl::Status possible = CheckUndo(*last); !possible.ok()) return done(possible);
  const Service* spec = ServiceIn(last->from_revision, service);
  if (spec == nullptr) {
    return done(absl::FailedPreconditionError(
        Cat("revision ", last->from_revision, ", which ran before rollout ", last->id,
            ", cannot be read, or has no service ", service)));
  }
  RolloutIntent intent;
  intent.service = service;
  intent.cause = RolloutCause::kUndo;
  intent.generation = newest->generation;
  const std::string reason =
      asked.reason.empty() ? Cat("undoes rollout ", last->id, " of ", service) : asked.reason;
  const Done refuse = done;  // Where it cannot even begin.
  const absl::Status begun = GoBack(
      *last, *spec, std::move(intent), {asked.author, reason},
      [this, service, done = std::move(done)](const absl::StatusOr<ConfigChangeResult>& result) {
        if (!result.ok()) return done(result.status());
        for (const RolloutRecord& rollout : result->rollouts) {
          if (rollout.service == service && rollout.is_active()) {
            return done(*Find(rollout.id));
          }
        }
        done(absl::FailedPreconditionError(
            Cat("service ", service, " runs already what it would go back to")));
      });
  if (!begun.ok()) refuse(begun);
}

absl::Status Rollouts::GoBack(const RolloutRecord& rollout, const Service& spec,
                              RolloutIntent intent, const Asked& asked, DesiredState::Done done) {
  ConfigChange change;
  change.config = desired_.config();
  for (Service& service : change.config.services) {
    if (service.name != rollout.service) continue;
    const uint32_t replicas = service.replicas;
    service = spec;
    service.replicas = replicas;
  }
  change.config_yaml = hooks_.render(change.config);
  const ParsedConfig checked = ParseConfig(change.config_yaml, "");
  if (!checked.ok()) {
    return absl::FailedPreconditionError(
        Cat("what ran before does not fit the rest of the config any more: ",
            checked.problems.front().key, ": ", checked.problems.front().message));
  }
  change.base_revision = desired_.newest().number;
  change.author = asked.author;
  change.reason = asked.reason;
  change.source = "rollback";
  change.intent = std::move(intent);
  desired_.Change(std::move(change), std::move(done));
  return absl::OkStatus();
}

void Rollouts::Begin(const Desired& desired, std::span<const Worker> workers) {
  for (const ServiceDesire& desire : desired.services) {
    const RolloutRecord* before = NewestOf(desire.spec.name);
    const bool is_active = before != nullptr && before->is_active();
    const bool is_new = is_active ? before->template_hash != desire.template_hash
                                  : !OutdatedHashes(desire, workers).empty();
    if (!is_new) continue;
    // Either the file was changed meanwhile, or the programs were.
    const Revision& newest = desired_.newest();
    const std::vector<Revision>& revisions = desired_.revisions();
    const uint64_t previous = revisions.size() > 1 ? revisions[revisions.size() - 2].number : 0;
    const Service* was = ServiceIn(previous, desire.spec.name);
    const uint64_t generation = before != nullptr ? before->generation : 0;
    const bool by_file = (before == nullptr || before->to_revision != newest.number) &&
                         was != nullptr &&
                         (hooks_.template_hash(*was, generation) != desire.template_hash ||
                          was->host_port_base != desire.spec.host_port_base);
    RolloutRecord rollout =
        by_file ? NewRecord(desire.spec, RolloutCause::kApply, {newest.author, newest.reason})
                : NewRecord(desire.spec, RolloutCause::kUpgrade,
                            {"gocomet", "the workers that run are of an earlier program"});
    rollout.from_revision = by_file ? previous : newest.number;
    rollout.to_revision = newest.number;
    rollout.generation = generation;
    rollout.template_hash = desire.template_hash;
    SetGood(rollout, before);
    std::vector<RolloutRecord> rollouts;
    if (is_active) {
      EndRollout(rollouts.emplace_back(*before), RolloutState::kSuperseded,
                 Cat("rollout ", rollout.id, " took its place"), clock_.Wall());
    }
    rollouts.push_back(std::move(rollout));
    for (const RolloutRecord& each : rollouts) Write(each);
    Take(rollouts);
  }
}

}  // namespace gocomet::controlplane
