#pragma once

#include "common/base/clock.h"
#include "ctl/output/table.h"
#include "gocomet/v1/access.pb.h"
#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/statistics.pb.h"
#include "gocomet/v1/workers.pb.h"

// What a person sees of a list. Pure: `now` turns times into ages; `wide` adds columns at the end.
namespace gocomet::ctl {

Table WorkerTable(const v1::ListWorkersResponse& list, WallTime now, bool wide);
// As a row of the same table, with the state `Removed`.
Table RemovedWorkerTable(const v1::Worker& worker, bool wide);
Table BalancerTable(const v1::ListBalancersResponse& list, WallTime now, bool wide);
Table ServiceTable(const v1::ListServicesResponse& list, bool wide);
Table RevisionTable(const v1::ListRevisionsResponse& list, WallTime now, bool wide);
Table TokenTable(const v1::ListTokensResponse& list, WallTime now, bool wide);
Table EventTable(const v1::ListEventsResponse& list, WallTime now, bool wide);

// One row per worker, workers that no longer exist folded into one `(retired: N)` unless
// `show_retired`, and the TOTAL, which includes them in any case.
Table StatisticsTable(const v1::Statistics& statistics, WallTime now, bool show_retired, bool wide);

}  // namespace gocomet::ctl
