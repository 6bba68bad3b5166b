#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/cluster/desired_state.h"
#include "controlplane/cluster/event_log.h"
#include "controlplane/cluster/mailbox.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/cluster/subscribers.h"
#include "controlplane/model/rollout.h"
#include "controlplane/model/worker.h"
#include "controlplane/rollout/rollout_machine.h"
#include "controlplane/statistics/ledger.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// Who asks for something, and why.
struct Asked {
  std::string author;
  std::string reason;
};

// The rollouts that there were and are: each begins in the same transaction as what causes it, and
// each step that somebody is told of is durable first. Confined to the owner's thread.
class Rollouts {
 public:
  using Done = std::function<void(absl::StatusOr<RolloutRecord>)>;

  struct Hooks {
    // What a service's workers are compared by, after so many restarts.
    std::function<std::string(const Service& service, uint64_t generation)> template_hash;
    // Its workers that take requests now.
    std::function<uint32_t(const std::string& service)> serving;
    // A config text of ours for a config.
    std::function<std::string(const Config& config)> render;
    // That 99 of 100 requests took at most: to the service within the last minute, and to those of
    // its workers that are of this template. 0 where there were none.
    std::function<std::chrono::microseconds(const std::string& service)> recent_p99;
    std::function<std::chrono::microseconds(const std::string& service,
                                            const std::string& template_hash)>
        p99_of;
    std::function<void()> changed;  // Plan again.
  };

  Rollouts(Store& store, EventLog& events, const Clock& clock, DesiredState& desired,
           std::vector<RolloutRecord> stored, Hooks hooks);

  std::span<const RolloutRecord> records() const { return records_; }  // By ascending id.
  const RolloutRecord* Find(uint64_t id) const;
  // Null where there was none.
  const RolloutRecord* NewestOf(const std::string& service) const;

  // Fills in what rollouts say about how the service is planned: all but `spec`.
  void Shape(ServiceDesire& desire) const;

  // The verbs; `done` runs once the change is durable. NOT_FOUND: there was no rollout.
  void Restart(const std::string& service, const Asked& asked, Done done);
  void Pause(const std::string& service, const Asked& asked, Done done);
  void Resume(const std::string& service, const Asked& asked, Done done);
  void Abort(const std::string& service, const Asked& asked, Done done);
  void Undo(const std::string& service, const Asked& asked, Done done);

  // Those that a new revision begins and ends, to be written with it; Take once that is durable.
  std::vector<RolloutRecord> Prepare(const Revision& revision, const ConfigChange& change);
  void Take(const std::vector<RolloutRecord>& rollouts);

  // Once, after the first list of workers: what changed while no control plane ran.
  void Begin(const Desired& desired, std::span<const Worker> workers);
  // Each turn: how those under way go on. Answers when time alone will change that.
  std::optional<SteadyTime> Observe(const Desired& desired, std::span<const Worker> workers);

  // What balancers have seen since their reports before; for the reports of rollouts.
  void CountAnswers(const std::string& worker_id, const Ledger::BalancedSums& added);
  void CountOwnErrors(uint64_t added);
  // A worker has finished what it had, or its time is over.
  void NoteDrain(const std::string& service, std::chrono::milliseconds took);
  // Rows to be written with whatever was counted.
  std::vector<RolloutRecord> TakeCounted();

  Subscribers<RolloutRecord>& subscribers() { return subscribers_; }

 private:
  // Of a rollout that is under way.
  struct Run {
    RolloutPace pace;
    bool counted = false;     // Something that is not written yet.
    bool going_back = false;  // A change that ends it is under way.
  };

  RolloutRecord* FindMutable(uint64_t id);
  RolloutRecord NewRecord(const Service& service, RolloutCause cause, const Asked& asked);
  // What a failure of a new rollout of the service goes back to.
  void SetGood(RolloutRecord& rollout, const RolloutRecord* before) const;
  const Service* ServiceIn(uint64_t revision, const std::string& name) const;
  // The good spec, where it differs from what is wanted now.
  const Service* WayBack(const RolloutRecord& rollout) const;
  absl::Status GoBack(const RolloutRecord& rollout, const Service& spec, RolloutIntent intent,
                      const Asked& asked, DesiredState::Done done);
  void Fail(RolloutRecord& rollout, const ServiceDesire& desire, std::span<const Worker> workers);
  void Announce(const RolloutRecord& before, const RolloutRecord& now);
  void Publish(const RolloutRecord& rollout);
  void Write(const RolloutRecord& rollout);
  void Change(DesiredState::Prepare prepare, Done done);

  Store& store_;
  EventLog& events_;
  const Clock& clock_;
  DesiredState& desired_;
  const Hooks hooks_;

  std::vector<RolloutRecord> records_;
  std::map<uint64_t, Run> runs_;
  uint64_t last_id_ = 0;
  // Parsed configs of earlier revisions, by number; null where one cannot be read.
  mutable std::map<uint64_t, std::shared_ptr<const Config>> configs_;
  // Services with a rollout under way, by their workers' ids.
  std::unordered_map<std::string, std::string> service_of_;
  std::map<std::string, std::set<std::string>> outdated_hashes_;  // As last seen, by service.
  Subscribers<RolloutRecord> subscribers_;
};

}  // namespace gocomet::controlplane
