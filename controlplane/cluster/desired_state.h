#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/cluster/mailbox.h"
#include "controlplane/cluster/subscribers.h"
#include "controlplane/model/config.h"
#include "controlplane/model/records.h"
#include "controlplane/model/rollout.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// What a change means for one service's rollouts, where it is not a change like any other.
struct RolloutIntent {
  std::string service;
  RolloutCause cause = RolloutCause::kApply;
  RolloutState ends_as = RolloutState::kSuperseded;  // The one under way.
  std::string message;                               // Why, in words.
  uint64_t generation = 0;                           // Of the workers that it goes back to.
};

// One change of the config, as asked for.
struct ConfigChange {
  Config config;
  std::string config_yaml;
  uint64_t base_revision = 0;  // 0: whatever is the newest.
  std::string author;
  std::string reason;
  std::string source;
  std::optional<RolloutIntent> intent = std::nullopt;
};

struct ConfigChangeResult {
  Revision revision;
  bool changed = false;
  std::vector<RolloutRecord> rollouts = {};  // That it begins and ends.
};

// The newest revision and all before it. A change is compare-and-set, durable before it is visible,
// and nothing at all where the config is already the newest one's. Changes are taken one after the
// other. Confined to the owner's thread.
class DesiredState {
 public:
  using Done = std::function<void(absl::StatusOr<ConfigChangeResult>)>;

  struct Hooks {
    // The rollouts that a change begins and ends; written with the revision.
    std::function<std::vector<RolloutRecord>(const Revision&, const ConfigChange&)> rollouts;
    // Called before the change is answered.
    std::function<void(const Revision&, const std::vector<RolloutRecord>&)> became_newest;
  };

  // `newest`: the config of the last of `revisions`, already parsed.
  DesiredState(Store& store, Mailbox& mailbox, const Clock& clock, std::vector<Revision> revisions,
               Config newest, Hooks hooks);

  const Config& config() const { return config_; }
  const Revision& newest() const { return revisions_.back(); }
  const std::vector<Revision>& revisions() const { return revisions_; }
  // Null where there is none.
  const Revision* Find(uint64_t number) const;
  // Null where there is none, or this version cannot read it. Parses its text at each call.
  std::shared_ptr<const Config> ConfigOf(uint64_t number) const;

  // ABORTED where the base is stale; `done` runs on the owner's thread.
  void Change(ConfigChange change, Done done);

  // Writes rollouts in turn with the changes: `prepare` says which when the turn has come, and
  // `done` runs on the owner's thread once they are durable.
  using Prepare = std::function<absl::StatusOr<std::vector<RolloutRecord>>()>;
  using Written = std::function<void(absl::StatusOr<std::vector<RolloutRecord>>)>;
  void WriteRollouts(Prepare prepare, Written done);
  // Whether a change of that rollout is under way: another row of it would be written after that
  // one, and say again what was before.
  bool IsChanging(uint64_t rollout) const;
  // Whether any change is under way.
  bool is_writing() const { return writing_; }

  Subscribers<Revision>& subscribers() { return subscribers_; }

 private:
  void Enqueue(std::function<void()> begin);
  void BeginNext();
  void Begin(const ConfigChange& change, const Done& done);
  void BeginRollouts(const Prepare& prepare, const Written& done);
  // One at a time; `then` runs on the owner's thread with the outcome.
  void Write(StoreWrite write, std::function<void(const absl::Status&)> then);

  Store& store_;
  Mailbox& mailbox_;
  const Clock& clock_;
  const Hooks hooks_;

  std::vector<Revision> revisions_;  // Ascending, never empty.
  Config config_;
  bool writing_ = false;
  std::vector<uint64_t> changing_;  // Rollouts that are being written.
  std::deque<std::function<void()>> waiting_;
  Subscribers<Revision> subscribers_;
};

}  // namespace gocomet::controlplane
