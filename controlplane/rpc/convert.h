#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/cluster/snapshot.h"
#include "controlplane/config/config_text.h"
#include "controlplane/model/config.h"
#include "controlplane/model/records.h"
#include "controlplane/model/rollout.h"
#include "controlplane/model/worker.h"
#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/rollouts.pb.h"
#include "gocomet/v1/statistics.pb.h"
#include "gocomet/v1/sync.pb.h"
#include "gocomet/v1/workers.pb.h"

// Our values as messages, and back. Generated types stop at this folder.
namespace gocomet::controlplane {

// Messages hold UTF-8 only: bytes that are not become U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

google::protobuf::Timestamp ToProto(WallTime time);
google::protobuf::Duration ToProto(std::chrono::microseconds duration);

v1::Runtime ToProto(RuntimeKind kind);
v1::DemoWorkerSpec ToProto(const DemoWorker& demo);
v1::HealthCheckSpec ToProto(const HealthCheck& health);
v1::WorkloadSpec ToProto(const Workload& workload);
v1::RolloutSpec ToProto(const Rollout& rollout);
v1::ServiceSpec ToProto(const Service& service);
v1::RouteSpec ToProto(const Route& route);
v1::Config ToProto(const Config& config);
v1::ConfigProblem ToProto(const ConfigProblem& problem);
v1::FieldChange ToProto(const FieldChange& change);
v1::Revision ToProto(const Revision& revision);
// Into the fields of the same names.
void AddPreview(Preview preview, v1::PlanConfigResponse& plan);
v1::Event ToProto(const Event& event);
v1::Rollout ToProto(const RolloutRecord& rollout);
v1::Balancer ToProto(const Balancer& balancer);
v1::Snapshot ToProto(const Snapshot& snapshot);
v1::RequestCounters ToProto(const RequestCounters& counters);

struct WorkerContext {
  RuntimeKind runtime = RuntimeKind::kAuto;
  uint64_t in_flight = 0;
  bool up_to_date = false;
};
v1::Worker ToProto(const Worker& worker, const WorkerContext& context);

// A worker as the owner's thread sees it now.
v1::Worker DescribeWorker(Cluster& cluster, const Worker& worker);
v1::Service DescribeService(Cluster& cluster, const Service& service);

}  // namespace gocomet::controlplane
