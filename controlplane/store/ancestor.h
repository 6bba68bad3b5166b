#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "controlplane/model/records.h"
#include "controlplane/store/sqlite.h"

// The database of GoComet's ancestor: one table `worker_stats` of plain, cumulative rows.
namespace gocomet::controlplane {

// Whether there is such a table (not a view) with the ancestor's columns.
absl::StatusOr<bool> HoldsAncestorTable(Database& database);

// One row per worker, in the order of their first rows, as totals of incarnation 0. Rows are
// cumulative, so of several of one worker the one with the most requests is the newest. Durations
// come from the average, which is all there is. Rows without a worker id are left out and counted.
struct AncestorRows {
  std::vector<WorkerTotals> totals;
  size_t without_id = 0;
};
absl::StatusOr<AncestorRows> ReadAncestor(Database& database);

// Copies the file beside itself, then replaces the table by our schema and its rows, in one
// transaction. After an error the file is as it was.
absl::Status TakeOverAncestor(Database& database, const std::string& path,
                              std::vector<std::string>& notices);

}  // namespace gocomet::controlplane
