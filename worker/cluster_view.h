#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "worker/counters.h"

namespace gocomet::worker {

struct WorkerRow {
  std::string worker_id;
  RequestCounts counts;
  bool operator==(const WorkerRow&) const = default;
};

// The cluster's numbers as this worker knows them: the newest that the control plane sent, with its
// own row brought up to this moment. Pure; not thread safe.
class ClusterView {
 public:
  explicit ClusterView(std::string own_id) : own_id_(std::move(own_id)) {}

  // Takes the control plane's rows, in its order. `newest_sent` is the newest report that had been
  // sent by then; the rows include it or an earlier one.
  void Update(std::vector<WorkerRow> rows, const RequestCounts& newest_sent, SteadyTime now);

  // All rows in the control plane's order, the own one with everything counted so far. A worker
  // that the control plane has not listed yet comes last.
  std::vector<WorkerRow> RowsWith(const RequestCounts& own) const;

  // How old the others' numbers are; nothing where none ever came.
  std::optional<SteadyTime::duration> Age(SteadyTime now) const;

 private:
  const std::string own_id_;
  std::vector<WorkerRow> rows_;
  std::optional<SteadyTime> updated_;
  // What earlier incarnations under the same id counted: a restarted container keeps its id.
  RequestCounts earlier_;
};

}  // namespace gocomet::worker
