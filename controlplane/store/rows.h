#pragma once

#include <absl/status/statusor.h>

#include "controlplane/model/records.h"
#include "controlplane/model/rollout.h"
#include "controlplane/store/sqlite.h"
#include "controlplane/store/store.h"

// Records to rows and back.
namespace gocomet::controlplane {

inline constexpr uint64_t kEventsKept = 10'000;
inline constexpr uint64_t kEventsLoaded = 1'000;
inline constexpr uint64_t kRolloutsKept = 1'000;

absl::StatusOr<StoredState> ReadState(Database& database);

// Prepared statements for every kind of row. Writing a row again changes nothing, so a transaction
// whose outcome is unknown can be repeated. Must not outlive the database.
class RowWriter {
 public:
  static absl::StatusOr<RowWriter> Create(Database& database);

  absl::Status Write(const Revision& revision);
  absl::Status Write(const WorkerTotals& totals);
  absl::Status Write(const BalancedTotals& totals);
  absl::Status Write(const Event& event);
  absl::Status Write(const RolloutRecord& rollout);
  absl::Status Write(const AccessTokenChange& change);
  // Forgets events but for the newest kEventsKept.
  absl::Status PruneEvents(uint64_t newest_sequence);
  // Forgets rollouts but for the newest kRolloutsKept and the newest of each service.
  absl::Status PruneRollouts(uint64_t newest_id);

 private:
  Statement revision_, worker_, balanced_, event_, prune_, rollout_, prune_rollouts_, token_,
      delete_token_;
};

}  // namespace gocomet::controlplane
