#include "dataplane/agent/convert.h"

#include <algorithm>
#include <chrono>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

std::chrono::milliseconds ToMilliseconds(const google::protobuf::Duration& duration) {
  return std::chrono::milliseconds(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
}

}  // namespace

absl::StatusOr<Assignment> ToAssignment(const v1::Snapshot& snapshot) {
  if (snapshot.services_size() > 1) {
    return absl::UnimplementedError("it holds several services, and this balancer routes to one");
  }
  Assignment assignment;
  for (const v1::SnapshotService& service : snapshot.services()) {
    const v1::HealthCheckSpec& health = service.health();
    assignment.health.path = health.path();
    assignment.health.interval =
        std::max(ToMilliseconds(health.interval()), std::chrono::milliseconds(10));
    assignment.health.timeout =
        std::max(ToMilliseconds(health.timeout()), std::chrono::milliseconds(1));
    assignment.health.policy.healthy_threshold = std::max(1U, health.healthy_threshold());
    assignment.health.policy.unhealthy_threshold = std::max(1U, health.unhealthy_threshold());
    for (const v1::Endpoint& endpoint : service.endpoints()) {
      if (endpoint.worker_id().empty()) {
        return absl::InvalidArgumentError("an endpoint has no worker_id");
      }
      auto address = Address::Parse(endpoint.address());
      if (!address.ok()) return WithContext(address.status(), Cat("worker ", endpoint.worker_id()));
      assignment.endpoints.push_back(
          {endpoint.worker_id(), endpoint.incarnation(), *address, endpoint.draining()});
    }
  }
  return assignment;
}

v1::BalancerReport MakeReport(const Director& director, uint64_t sequence) {
  v1::BalancerReport report;
  report.set_sequence(sequence);
  report.set_connections(director.connections());
  report.set_requests(director.requests());
  for (const auto& [status, count] : director.own_answers()) {
    (*report.mutable_own_answers())[static_cast<uint32_t>(status)] = count;
  }
  for (const EndpointStatus& status : director.Status()) {
    const Endpoint& from = *status.endpoint;
    v1::EndpointReport* into = report.add_endpoints();
    into->set_worker_id(from.worker_id);
    into->set_incarnation(from.incarnation);
    into->set_healthy(status.healthy);
    into->set_health_reason(status.health_reason);
    into->set_in_flight(from.in_flight.load(std::memory_order_acquire));
    into->set_answered(from.answered.load());
    for (const auto& count : from.by_status_class) into->add_by_status_class(count.load());
    into->set_connect_errors(from.connect_errors.load());
    into->set_resets(from.resets.load());
    into->set_timeouts(from.timeouts.load());
    into->set_retried(from.retried.load());
    into->set_bytes_to_worker(from.bytes_to_worker.load());
    into->set_bytes_from_worker(from.bytes_from_worker.load());
  }
  return report;
}

}  // namespace gocomet::dataplane
