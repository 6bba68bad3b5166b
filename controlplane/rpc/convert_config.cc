// The desired state as messages.
#include "controlplane/rpc/convert.h"

namespace gocomet::controlplane {
v1::WorkloadSpec ToProto(const Workload& workload) {
  v1::WorkloadSpec proto;
  proto.set_image(workload.image);
  for (const std::string& word : workload.command) proto.add_command(word);
  proto.set_working_directory(workload.working_directory);
  for (const std::string& endpoint : workload.endpoints) proto.add_endpoints(endpoint);
  proto.set_container_port(workload.container_port);
  for (const auto& [name, value] : workload.environment) proto.add_environment_names(name);
  for (const std::string& file : workload.environment_files) proto.add_environment_files(file);
  for (const Volume& volume : workload.volumes) {
    v1::VolumeSpec* into = proto.add_volumes();
    into->set_source(volume.source);
    into->set_target(volume.target);
    into->set_read_only(volume.read_only);
  }
  proto.mutable_resources()->set_memory_bytes(workload.resources.memory_bytes);
  proto.mutable_resources()->set_millicpus(workload.resources.millicpus);
  proto.mutable_resources()->set_pids(workload.resources.pids);
  proto.set_read_only_root(workload.read_only_root);
  for (const std::string& name : workload.capabilities) proto.add_capabilities(name);
  proto.set_user(workload.user);
  proto.set_stop_signal(workload.stop_signal);
  return proto;
}

v1::RolloutSpec ToProto(const Rollout& rollout) {
  v1::RolloutSpec proto;
  proto.set_max_surge(rollout.max_surge);
  proto.set_max_unavailable(rollout.max_unavailable);
  *proto.mutable_min_ready() = ToProto(rollout.min_ready);
  *proto.mutable_progress_deadline() = ToProto(rollout.progress_deadline);
  proto.set_on_failure(rollout.on_failure == OnFailure::kPause
                           ? v1::ROLLOUT_FAILURE_POLICY_PAUSE
                           : v1::ROLLOUT_FAILURE_POLICY_ROLLBACK);
  return proto;
}

v1::Runtime ToProto(RuntimeKind kind) {
  switch (kind) {
    case RuntimeKind::kAuto:
      return v1::RUNTIME_AUTO;
    case RuntimeKind::kDocker:
      return v1::RUNTIME_DOCKER;
    case RuntimeKind::kProcess:
      return v1::RUNTIME_PROCESS;
    case RuntimeKind::kExternal:
      return v1::RUNTIME_EXTERNAL;
  }
  return v1::RUNTIME_UNSPECIFIED;
}

v1::DemoWorkerSpec ToProto(const DemoWorker& demo) {
  v1::DemoWorkerSpec proto;
  *proto.mutable_average_delay() = ToProto(demo.average_delay);
  proto.set_failure_percent(demo.failure_percent);
  return proto;
}

v1::HealthCheckSpec ToProto(const HealthCheck& health) {
  v1::HealthCheckSpec proto;
  proto.set_path(health.path);
  *proto.mutable_interval() = ToProto(health.interval);
  *proto.mutable_timeout() = ToProto(health.timeout);
  proto.set_healthy_threshold(health.healthy_threshold);
  proto.set_unhealthy_threshold(health.unhealthy_threshold);
  *proto.mutable_start_deadline() = ToProto(health.start_deadline);
  proto.set_method(health.method);
  for (const ExpectedStatus& range : health.expected) {
    v1::StatusRange* into = proto.add_expected();
    into->set_first(range.first);
    into->set_last(range.last);
  }
  return proto;
}

v1::RouteSpec ToProto(const Route& route) {
  v1::RouteSpec proto;
  proto.set_name(route.name);
  proto.set_host(route.host);
  proto.set_path_prefix(route.path_prefix);
  for (const HeaderMatch& match : route.headers) {
    v1::HeaderMatch* into = proto.add_headers();
    into->set_name(match.name);
    if (match.value) into->set_value(*match.value);
  }
  for (const RouteTarget& target : route.targets) {
    v1::RouteTarget* into = proto.add_targets();
    into->set_service(target.service);
    into->set_weight(target.weight);
  }
  // Numbered alike, after UNSPECIFIED.
  proto.set_algorithm(static_cast<v1::BalancingAlgorithm>(static_cast<int>(route.algorithm) + 1));
  proto.set_hash_on(route.hash_on);
  if (route.connect_timeout) *proto.mutable_connect_timeout() = ToProto(*route.connect_timeout);
  if (route.response_timeout) *proto.mutable_response_timeout() = ToProto(*route.response_timeout);
  if (route.body_timeout) *proto.mutable_body_timeout() = ToProto(*route.body_timeout);
  if (route.retries) proto.set_retries(*route.retries);
  return proto;
}

v1::ServiceSpec ToProto(const Service& service) {
  v1::ServiceSpec proto;
  proto.set_name(service.name);
  proto.set_replicas(service.replicas);
  proto.set_host_port_base(service.host_port_base);
  proto.set_bind_address(service.bind_address);
  if (service.workload.is_demo()) *proto.mutable_demo() = ToProto(service.demo);
  if (!service.workload.is_demo()) *proto.mutable_workload() = ToProto(service.workload);
  *proto.mutable_health() = ToProto(service.health);
  *proto.mutable_restart_after_unhealthy() = ToProto(service.liveness.restart_after);
  *proto.mutable_rollout() = ToProto(service.rollout);
  *proto.mutable_drain_timeout() = ToProto(service.drain_timeout);
  *proto.mutable_stop_grace() = ToProto(service.stop_grace);
  return proto;
}

v1::Config ToProto(const Config& config) {
  v1::Config proto;
  proto.set_runtime(ToProto(config.runtime));
  for (const Service& service : config.services) *proto.add_services() = ToProto(service);
  for (const Route& route : config.routes) *proto.add_routes() = ToProto(route);
  v1::BalancerPoolSpec* balancers = proto.mutable_balancers();
  balancers->set_count(config.balancers.count);
  balancers->set_bind_address(config.balancers.bind_address);
  balancers->set_port_base(config.balancers.port_base);
  balancers->set_threads(config.balancers.threads);
  return proto;
}

v1::FieldChange ToProto(const FieldChange& change) {
  v1::FieldChange proto;
  proto.set_field(change.field);
  proto.set_old_value(ReplaceInvalidUtf8(change.old_value));
  proto.set_new_value(ReplaceInvalidUtf8(change.new_value));
  return proto;
}

namespace {

v1::WorkerStepKind ToProto(Preview::WorkerStep::Kind kind) {
  switch (kind) {
    case Preview::WorkerStep::Kind::kStart:
      return v1::WORKER_STEP_KIND_START;
    case Preview::WorkerStep::Kind::kReplace:
      return v1::WORKER_STEP_KIND_REPLACE;
    case Preview::WorkerStep::Kind::kStop:
      return v1::WORKER_STEP_KIND_STOP;
  }
  return v1::WORKER_STEP_KIND_UNSPECIFIED;
}

}  // namespace

void AddPreview(Preview preview, v1::PlanConfigResponse& plan) {
  for (std::string& sentence : preview.sentences) plan.add_steps(std::move(sentence));
  for (const Preview::ServiceSteps& service : preview.services) {
    v1::ServicePlan* into = plan.add_services();
    into->set_service(service.service);
    for (const Preview::WorkerStep& step : service.steps) {
      v1::WorkerStep* one = into->add_steps();
      one->set_kind(ToProto(step.kind));
      one->set_worker(step.worker);
      one->set_port(step.port);
    }
    into->set_serving(service.serving);
    into->set_lowest_serving(service.lowest_serving);
    into->set_first_port(service.first_port);
    into->set_last_port(service.last_port);
  }
  for (const Preview::BalancerStep& step : preview.balancers) {
    v1::BalancerStep* into = plan.add_balancers();
    into->set_kind(step.starts ? v1::BALANCER_STEP_KIND_START : v1::BALANCER_STEP_KIND_STOP);
    into->set_balancer(step.balancer);
    into->set_address(step.address);
    into->set_connections(step.connections);
  }
  plan.set_client_connections_affected(preview.client_connections_affected);
}

}  // namespace gocomet::controlplane
