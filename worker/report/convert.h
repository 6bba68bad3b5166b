#pragma once

#include <vector>

#include "gocomet/v1/report.pb.h"
#include "worker/behaviour.h"
#include "worker/cluster_view.h"

namespace gocomet::worker {

// Between the wire and the worker's own values. Values out of range are cut to the nearest legal.
Settings FromProto(const v1::DemoWorkerSpec& spec);
std::vector<WorkerRow> FromProto(const v1::ClusterStatistics& statistics);
void ToProto(const RequestCounts& counts, v1::RequestCounters& out);

}  // namespace gocomet::worker
