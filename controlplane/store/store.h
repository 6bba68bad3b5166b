#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "controlplane/model/access_token.h"
#include "controlplane/model/records.h"
#include "controlplane/model/rollout.h"

namespace gocomet::controlplane {

// Everything a new control plane needs from the file.
struct StoredState {
  std::vector<Revision> revisions;          // Ascending; all of them.
  std::vector<WorkerTotals> worker_totals;  // In the order in which workers first appeared.
  std::vector<BalancedTotals> balanced_totals;
  std::vector<Event> events;            // The newest 1000, ascending.
  std::vector<RolloutRecord> rollouts;  // Ascending.
  uint64_t last_event_sequence = 0;
  std::vector<AccessToken> access_tokens;
};

// Rows to be written; a group of them is one transaction.
struct StoreWrite {
  std::vector<Revision> revisions;
  std::vector<WorkerTotals> worker_totals;  // Replace the row of the same (worker, incarnation).
  std::vector<BalancedTotals> balanced_totals;  // Likewise for the four keys.
  std::vector<Event> events;
  // OK once all of them are durable, also across a power loss. Called on the store's writer
  // thread, and for a write that found the queue full on the caller's. Unset where nobody waits.
  std::function<void(absl::Status)> done;
  std::vector<RolloutRecord> rollouts = {};  // Replace the row of the same id.
  // Somebody waits for it: commits without delay, and drops the rollouts where it finds no room.
  bool at_once = false;
  std::vector<AccessTokenChange> access_tokens = {};  // In order: each one counts.
};

// The one writer of the database file. SQL and SQLite's codes never cross this line.
//
// Write may be called on any thread and never blocks: writes are queued, grouped and committed in
// order by one thread, at the latest `kCommitDelay` after they came, at once for those with
// revisions and where `at_once` says so. While the file cannot be written (disk full, locked,
// read-only) they are kept in memory up to `kQueuedWritesMax` and tried again; `done` of a further
// write gets RESOURCE_EXHAUSTED at once. Its revisions and tokens are dropped then; its totals,
// events and rollouts are not, since rows that wait are merged and only the newest are kept.
class Store {
 public:
  virtual ~Store() = default;
  virtual void Write(StoreWrite write) = 0;
  // Commits what is queued as soon as possible.
  virtual void Flush() = 0;
  // Writes not yet durable.
  virtual size_t queued() const = 0;
  // Why the last attempt to write failed; OK where it did not.
  virtual absl::Status problem() const { return absl::OkStatus(); }
};

inline constexpr std::chrono::milliseconds kCommitDelay{200};
inline constexpr size_t kQueuedWritesMax = 100'000;

struct OpenedStore {
  std::unique_ptr<Store> store;
  StoredState state;
  // For people: an ancestor's database taken over, a migration, a damaged file set aside.
  std::vector<std::string> notices;
};

// Opens the file, or makes it. A file of an earlier version is migrated, after a copy beside it; a
// database of the ancestor (a table `worker_stats` of plain rows) is taken over; a file that SQLite
// calls damaged is renamed and a new one made, which is said in `notices`.
// FAILED_PRECONDITION: the file is a database of something else, or of a newer GoComet: it is left
// untouched and the message says what to do. PERMISSION_DENIED, NOT_FOUND: the path.
absl::StatusOr<OpenedStore> OpenStore(const std::string& path);

}  // namespace gocomet::controlplane
