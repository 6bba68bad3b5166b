#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/cluster/mailbox.h"
#include "controlplane/cluster/subscribers.h"
#include "controlplane/model/config.h"
#include "controlplane/model/records.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// One change of the config, as asked for.
struct ConfigChange {
  Config config;
  std::string config_yaml;
  uint64_t base_revision = 0;  // 0: whatever is the newest.
  std::string author;
  std::string reason;
  std::string source;
};

struct ConfigChangeResult {
  Revision revision;
  bool changed = false;
};

// The newest revision and all before it. A change is compare-and-set, durable before it is visible,
// and nothing at all where the config is already the newest one's. Changes are taken one after the
// other. Confined to the owner's thread.
class DesiredState {
 public:
  using Done = std::function<void(absl::StatusOr<ConfigChangeResult>)>;

  // `newest`: the config of the last of `revisions`, already parsed. `became_newest` is called
  // before the change is answered.
  DesiredState(Store& store, Mailbox& mailbox, const Clock& clock, std::vector<Revision> revisions,
               Config newest, std::function<void(const Revision&)> became_newest);

  const Config& config() const { return config_; }
  const Revision& newest() const { return revisions_.back(); }
  const std::vector<Revision>& revisions() const { return revisions_; }
  // Null where there is none.
  const Revision* Find(uint64_t number) const;

  // ABORTED where the base is stale; `done` runs on the owner's thread.
  void Change(ConfigChange change, Done done);

  Subscribers<Revision>& subscribers() { return subscribers_; }

 private:
  struct Waiting {
    ConfigChange change;
    Done done;
  };
  void BeginNext();
  void Begin(Waiting waiting);
  void OnDurable(const Revision& revision, const Config& config, const Done& done,
                 const absl::Status& status);

  Store& store_;
  Mailbox& mailbox_;
  const Clock& clock_;
  const std::function<void(const Revision&)> became_newest_;

  std::vector<Revision> revisions_;  // Ascending, never empty.
  Config config_;
  bool writing_ = false;
  std::deque<Waiting> waiting_;
  Subscribers<Revision> subscribers_;
};

}  // namespace gocomet::controlplane
