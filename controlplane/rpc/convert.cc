#include "controlplane/rpc/convert.h"

#include <algorithm>

namespace gocomet::controlplane {
namespace {

// The length of the well-formed sequence that `text` begins with; 0 where it does not (Unicode
// Standard, table 3-7).
size_t Utf8SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                        : first >= 0xE0 && first <= 0xEF ? 3
                        : first >= 0xF0 && first <= 0xF4 ? 4
                                                         : 0;
  if (length == 0 || text.size() < length) return 0;
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

}  // namespace

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    clean += length == 0 ? std::string_view("\uFFFD") : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return clean;
}

google::protobuf::Timestamp ToProto(WallTime time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  google::protobuf::Timestamp proto;
  proto.set_seconds(since.count() / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(since.count() % 1'000'000'000));
  return proto;
}

google::protobuf::Duration ToProto(std::chrono::microseconds duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1'000'000);
  proto.set_nanos(static_cast<int32_t>(duration.count() % 1'000'000 * 1000));
  return proto;
}

v1::ConfigProblem ToProto(const ConfigProblem& problem) {
  v1::ConfigProblem proto;
  proto.set_file(problem.file);
  proto.set_line(problem.line);
  proto.set_column(problem.column);
  proto.set_key(problem.key);
  proto.set_message(problem.message);
  return proto;
}

v1::Revision ToProto(const Revision& revision) {
  v1::Revision proto;
  proto.set_number(revision.number);
  *proto.mutable_create_time() = ToProto(revision.create_time);
  proto.set_author(revision.author);
  proto.set_reason(ReplaceInvalidUtf8(revision.reason));
  proto.set_source(revision.source);
  proto.set_content_hash(revision.content_hash);
  return proto;
}

v1::Event ToProto(const Event& event) {
  v1::Event proto;
  proto.set_sequence(event.sequence);
  *proto.mutable_time() = ToProto(event.time);
  proto.set_severity(static_cast<v1::Severity>(event.severity));
  proto.set_subject(event.subject);
  proto.set_kind(event.kind);
  proto.set_message(ReplaceInvalidUtf8(event.message));
  return proto;
}

v1::Rollout ToProto(const RolloutRecord& rollout) {
  v1::Rollout proto;
  proto.set_id(rollout.id);
  proto.set_service(rollout.service);
  proto.set_from_revision(rollout.from_revision);
  proto.set_to_revision(rollout.to_revision);
  // Causes and states are numbered alike.
  proto.set_cause(static_cast<v1::RolloutCause>(rollout.cause));
  proto.set_author(rollout.author);
  proto.set_reason(ReplaceInvalidUtf8(rollout.reason));
  proto.set_state(static_cast<v1::RolloutState>(rollout.state));
  proto.set_message(ReplaceInvalidUtf8(rollout.message));
  *proto.mutable_create_time() = ToProto(rollout.create_time);
  if (rollout.end_time != WallTime{}) *proto.mutable_end_time() = ToProto(rollout.end_time);
  v1::RolloutProgress* progress = proto.mutable_progress();
  progress->set_wanted(rollout.wanted);
  progress->set_updated(rollout.updated);
  progress->set_available(rollout.available);
  progress->set_outdated(rollout.outdated);
  v1::RolloutReport* report = proto.mutable_report();
  report->set_requests(rollout.report.requests);
  report->set_server_errors(rollout.report.server_errors);
  report->set_balancer_errors(rollout.report.balancer_errors);
  report->set_retried(rollout.report.retried);
  report->set_lowest_capacity(rollout.report.lowest_capacity);
  *report->mutable_longest_drain() = ToProto(rollout.report.longest_drain);
  report->set_workers_replaced(rollout.report.workers_replaced);
  if (rollout.report.p99_before.count() > 0) {
    *report->mutable_p99_before() = ToProto(rollout.report.p99_before);
  }
  if (rollout.report.p99_after.count() > 0) {
    *report->mutable_p99_after() = ToProto(rollout.report.p99_after);
  }
  return proto;
}

v1::Balancer ToProto(const Balancer& balancer) {
  v1::Balancer proto;
  proto.set_name(balancer.name);
  proto.mutable_spec()->set_address(balancer.address);
  proto.mutable_spec()->set_threads(balancer.threads);
  v1::BalancerStatus* status = proto.mutable_status();
  // The states are numbered alike, after UNSPECIFIED.
  status->set_state(static_cast<v1::BalancerState>(static_cast<int>(balancer.state) + 1));
  status->set_reason(balancer.reason);
  status->set_pid(balancer.pid);
  if (balancer.start_time != WallTime{})
    *status->mutable_start_time() = ToProto(balancer.start_time);
  if (balancer.state == BalancerState::kBackOff) {
    *status->mutable_next_start_time() = ToProto(balancer.next_start_time);
  }
  status->set_snapshot_version(balancer.acknowledged_version);
  status->set_revision(balancer.acknowledged_revision);
  status->set_requests(balancer.requests);
  status->set_connections(balancer.connections);
  uint64_t in_flight = 0;
  for (const Balancer::EndpointView& endpoint : balancer.endpoints) in_flight += endpoint.in_flight;
  status->set_in_flight(in_flight);
  status->set_version(balancer.version);
  return proto;
}

v1::Snapshot ToProto(const Snapshot& snapshot) {
  v1::Snapshot proto;
  proto.set_version(snapshot.version);
  proto.set_revision(snapshot.revision);
  for (const SnapshotService& service : snapshot.services) {
    v1::SnapshotService* into = proto.add_services();
    into->set_name(service.name);
    *into->mutable_health() = ToProto(service.health);
    for (const SnapshotEndpoint& endpoint : service.endpoints) {
      v1::Endpoint* end = into->add_endpoints();
      end->set_worker_id(endpoint.worker_id);
      end->set_incarnation(endpoint.incarnation);
      end->set_address(endpoint.address);
      end->set_draining(endpoint.draining);
    }
  }
  for (const Route& route : snapshot.routes) *proto.add_routes() = ToProto(route);
  return proto;
}

v1::RequestCounters ToProto(const RequestCounters& counters) {
  v1::RequestCounters proto;
  proto.set_successful(counters.successful);
  proto.set_failed(counters.failed);
  proto.set_duration_microseconds(counters.duration_microseconds);
  return proto;
}

v1::Worker ToProto(const Worker& worker, const WorkerContext& context) {
  v1::Worker proto;
  proto.set_id(worker.id);
  proto.set_name(worker.name());
  proto.set_service(worker.service);
  proto.set_ordinal(worker.ordinal);
  proto.mutable_spec()->set_runtime(ToProto(context.runtime));
  proto.mutable_spec()->set_port(worker.port);
  proto.mutable_spec()->set_image(worker.image);
  v1::WorkerStatus* status = proto.mutable_status();
  // The states are numbered alike, after UNSPECIFIED.
  status->set_state(static_cast<v1::WorkerState>(static_cast<int>(worker.state) + 1));
  status->set_reason(ReplaceInvalidUtf8(worker.reason));
  status->set_address(worker.address);
  status->set_balancer_address(worker.balancer_address);
  *status->mutable_create_time() = ToProto(worker.create_time);
  if (worker.ready_time != WallTime{}) *status->mutable_ready_time() = ToProto(worker.ready_time);
  if (worker.state == WorkerState::kBackOff) {
    *status->mutable_next_start_time() = ToProto(worker.next_start_time);
  }
  status->set_consecutive_failures(worker.crashes);
  status->set_in_flight(context.in_flight);
  status->set_held(worker.held);
  status->set_up_to_date(context.up_to_date);
  status->set_pid(worker.pid);
  if (worker.last_probe) {
    v1::Probe* probe = status->mutable_last_probe();
    *probe->mutable_time() = ToProto(worker.last_probe->time);
    probe->set_target(worker.last_probe->target);
    probe->set_passed(worker.last_probe->passed);
    probe->set_result(worker.last_probe->result);
    *probe->mutable_duration() = ToProto(worker.last_probe->duration);
  }
  if (worker.failure) {
    v1::Failure* failure = status->mutable_failure();
    *failure->mutable_time() = ToProto(worker.failure->time);
    failure->set_cause(ReplaceInvalidUtf8(worker.failure->cause));
    failure->set_exit_code(worker.failure->exit_code);
    failure->set_signal(worker.failure->signal);
    failure->set_out_of_memory(worker.failure->out_of_memory);
    for (const std::string& line : worker.failure->last_log_lines) {
      failure->add_last_log_lines(ReplaceInvalidUtf8(line));
    }
  }
  return proto;
}

v1::Worker DescribeWorker(Cluster& cluster, const Worker& worker) {
  return ToProto(worker, {cluster.runtime(), cluster.balancers().InFlight(worker.id),
                          cluster.IsUpToDate(worker)});
}

v1::Service DescribeService(Cluster& cluster, const Service& service) {
  v1::Service proto;
  proto.set_name(service.name);
  *proto.mutable_spec() = ToProto(service);
  v1::ServiceStatus* status = proto.mutable_status();
  for (const Worker& worker : cluster.workers().workers()) {
    if (worker.service != service.name) continue;
    status->set_workers(status->workers() + 1);
    if (worker.state == WorkerState::kReady) status->set_ready(status->ready() + 1);
    if (cluster.IsUpToDate(worker)) status->set_up_to_date(status->up_to_date() + 1);
  }
  return proto;
}

}  // namespace gocomet::controlplane
