#pragma once

#include <span>
#include <string>

#include "worker/cluster_view.h"

namespace gocomet::worker {

// The body of /worker/stats: one object of four arrays, `SuccessfulRequests`, `FailedRequests`,
// `TotalRequests` and `AverageResponseTime`, each `[{"total": n}, {"<worker id>": n}, …]` in the
// order of `rows`. Averages are true means in milliseconds, rounded to whole microseconds and
// written with no more decimals than they need (0, 12, 499.25); the total one is the mean over all
// requests; 0 where there were none.
std::string StatsJson(std::span<const WorkerRow> rows);

}  // namespace gocomet::worker
