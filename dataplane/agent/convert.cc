#include "dataplane/agent/convert.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "dataplane/agent/convert_route.h"

namespace gocomet::dataplane {
namespace {

std::chrono::milliseconds ToMilliseconds(const google::protobuf::Duration& duration) {
  return std::chrono::milliseconds(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
}

void TakeHealth(const v1::HealthCheckSpec& spec, HealthSettings& health) {
  health.path = spec.path();
  if (!spec.method().empty()) health.method = spec.method();
  health.interval = std::max(ToMilliseconds(spec.interval()), std::chrono::milliseconds(10));
  health.timeout = std::max(ToMilliseconds(spec.timeout()), std::chrono::milliseconds(1));
  health.policy.healthy_threshold = std::max(1U, spec.healthy_threshold());
  health.policy.unhealthy_threshold = std::max(1U, spec.unhealthy_threshold());
  if (spec.expected_size() > 0) health.expected.clear();
  for (const v1::StatusRange& range : spec.expected()) {
    health.expected.push_back({static_cast<int>(range.first()), static_cast<int>(range.last())});
  }
}

absl::StatusOr<WantedService> ToWantedService(const v1::SnapshotService& proto) {
  WantedService service;
  service.name = proto.name();
  TakeHealth(proto.health(), service.health);
  const std::string& method = service.health.method;
  if (method != "GET" && method != "HEAD") {
    return absl::InvalidArgumentError(
        Cat("its health check's method `", method, "` is neither GET nor HEAD"));
  }
  for (const v1::Endpoint& endpoint : proto.endpoints()) {
    if (endpoint.worker_id().empty()) {
      return absl::InvalidArgumentError("an endpoint has no worker_id");
    }
    auto address = Address::Parse(endpoint.address());
    if (!address.ok()) return WithContext(address.status(), Cat("worker ", endpoint.worker_id()));
    service.endpoints.push_back(
        {endpoint.worker_id(), endpoint.incarnation(), *address, endpoint.draining()});
  }
  return service;
}

// Where there are no routes. A service that only drains takes nothing, so it does not count where
// another one does take.
absl::StatusOr<Route> RouteToTheOnly(const std::vector<WantedService>& services) {
  Route route;
  size_t takers = 0;
  for (const WantedService& service : services) {
    const bool takes = std::any_of(service.endpoints.begin(), service.endpoints.end(),
                                   [](const WantedEndpoint& e) { return !e.draining; });
    takers += takes ? 1 : 0;
    if (takes || route.targets.empty()) route.targets = {{service.name}};
  }
  if (takers > 1) {
    return absl::InvalidArgumentError(
        "it holds several services and no routes, so nothing says where requests go");
  }
  return route;
}

void SetDurations(const SparseDurations& durations, v1::Durations& into) {
  for (const SparseDurations::Bucket& bucket : durations.buckets()) {
    into.add_buckets(bucket.index);
    into.add_counts(bucket.count);
  }
  into.set_sum_nanoseconds(durations.sum_nanoseconds());
}

}  // namespace

absl::StatusOr<Assignment> ToAssignment(const v1::Snapshot& snapshot) {
  Assignment assignment;
  std::set<std::string, std::less<>> names;
  for (const v1::SnapshotService& proto : snapshot.services()) {
    const std::string name = Cat("service `", proto.name(), "`");
    if (!names.insert(proto.name()).second) {
      return absl::InvalidArgumentError(Cat(name, " is there twice"));
    }
    auto service = ToWantedService(proto);
    if (!service.ok()) return WithContext(service.status(), name);
    assignment.services.push_back(*std::move(service));
  }
  if (snapshot.routes().empty()) {
    if (assignment.services.empty()) return assignment;
    auto route = RouteToTheOnly(assignment.services);
    if (!route.ok()) return route.status();
    assignment.routes = {*std::move(route)};
    return assignment;
  }
  std::set<std::string, std::less<>> routes;
  for (const v1::RouteSpec& proto : snapshot.routes()) {
    const std::string name = Cat("route `", proto.name(), "`");
    if (proto.name().empty()) return absl::InvalidArgumentError("a route has no name");
    if (!routes.insert(proto.name()).second) {
      return absl::InvalidArgumentError(Cat(name, " is there twice"));
    }
    auto route = ToRoute(proto, names);
    if (!route.ok()) return WithContext(route.status(), name);
    assignment.routes.push_back(*std::move(route));
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
  for (const auto& [name, requests] : director.requests_by_route()) {
    v1::RouteReport* into = report.add_routes();
    into->set_name(name);
    into->set_requests(requests);
  }
  report.set_unrouted_requests(director.unrouted());
  for (const EndpointStatus& status : director.Status()) {
    const Endpoint& from = *status.endpoint;
    v1::EndpointReport* into = report.add_endpoints();
    into->set_worker_id(from.worker_id);
    into->set_incarnation(from.incarnation);
    into->set_healthy(status.healthy);
    into->set_health_reason(status.health_reason);
    into->set_in_flight(from.in_flight.load(std::memory_order_acquire));
    into->set_answered(from.counters->answered.load());
    for (const auto& count : from.counters->by_status_class)
      into->add_by_status_class(count.load());
    into->set_connect_errors(from.counters->connect_errors.load());
    into->set_resets(from.counters->resets.load());
    into->set_timeouts(from.counters->timeouts.load());
    into->set_retried(from.counters->retried.load());
    into->set_bytes_to_worker(from.counters->bytes_to_worker.load());
    into->set_bytes_from_worker(from.counters->bytes_from_worker.load());
    SetDurations(Director::DurationsOf(from), *into->mutable_durations());
  }
  return report;
}

}  // namespace gocomet::dataplane
