#include "worker/cluster_view.h"

#include <algorithm>
#include <utility>

namespace gocomet::worker {
namespace {

uint64_t Excess(uint64_t row, uint64_t sent) { return row > sent ? row - sent : 0; }

}  // namespace

void ClusterView::Update(std::vector<WorkerRow> rows, const RequestCounts& newest_sent,
                         SteadyTime now) {
  rows_ = std::move(rows);
  updated_ = now;
  // The own row is what earlier incarnations counted plus some report of this one, not always the
  // newest. So the difference to the newest is a lower bound of the earlier part, exact as soon as
  // one answer comes with no later report on its way.
  for (const WorkerRow& row : rows_) {
    if (row.worker_id != own_id_) continue;
    earlier_.successful =
        std::max(earlier_.successful, Excess(row.counts.successful, newest_sent.successful));
    earlier_.failed = std::max(earlier_.failed, Excess(row.counts.failed, newest_sent.failed));
    earlier_.duration_microseconds =
        std::max(earlier_.duration_microseconds,
                 Excess(row.counts.duration_microseconds, newest_sent.duration_microseconds));
  }
}

std::vector<WorkerRow> ClusterView::RowsWith(const RequestCounts& own) const {
  std::vector<WorkerRow> rows = rows_;
  for (WorkerRow& row : rows) {
    if (row.worker_id != own_id_) continue;
    row.counts = earlier_ + own;
    return rows;
  }
  rows.push_back({own_id_, earlier_ + own});
  return rows;
}

std::optional<SteadyTime::duration> ClusterView::Age(SteadyTime now) const {
  if (!updated_) return std::nullopt;
  return std::max(now - *updated_, SteadyTime::duration::zero());
}

}  // namespace gocomet::worker
