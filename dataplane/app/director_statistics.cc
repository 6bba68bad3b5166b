// What a director counts, in this life and in those before.
#include <algorithm>
#include <atomic>
#include <utility>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "dataplane/app/director.h"

namespace gocomet::dataplane {

EndpointPointer Director::MakeEndpoint(const std::string& worker_id, uint64_t incarnation,
                                       const Address& address) {
  auto endpoint = std::make_shared<Endpoint>(
      worker_id, incarnation, address,
      counters_.Take<EndpointCounters>(EndpointCounters::NameOf(worker_id, incarnation)));
  for (size_t i = 0; i < recorders_; ++i) {
    endpoint->durations.push_back(
        counters_.Take<EndpointDurations>(EndpointDurations::NameOf(i, worker_id, incarnation)));
  }
  return endpoint;
}

void Director::CountIn(Counters counters) {
  counters_ = std::move(counters);
  for (const std::string& number : counters_.Names<Latencies>()) {
    latencies_[number] = counters_.Take<Latencies>(number);
  }
  recorders_ = latencies_.size();  // Their numbers are from 0.
  for (const std::string& name : counters_.Names<EndpointCounters>()) {
    const auto identity = EndpointCounters::IdentityIn(name);
    if (!identity) continue;
    KnownWorker worker;
    worker.endpoint = MakeEndpoint(identity->worker_id, identity->incarnation, Address());
    worker.assigned = false;
    departed_.push_back({std::move(worker)});
  }
  for (const std::string& name : counters_.Names<RouteCounters>()) {
    requests_by_route_[name] = RequestsOf(name);
  }
  for (const std::string& name : counters_.Names<ShardCounters>()) {
    shard_counters_[name] = counters_.Take<ShardCounters>(name);
  }
}

Router::Requests Director::RequestsOf(const std::string& route) {
  const auto record = counters_.Take<RouteCounters>(route);
  return {record, &record->requests};
}

void Director::CountIn(Shard& shard) {
  const std::string number = std::to_string(shard.index());
  auto& counters = shard_counters_[number];
  if (!counters) counters = counters_.Take<ShardCounters>(number);
  auto& latencies = latencies_[number];
  if (!latencies) latencies = counters_.Take<Latencies>(number);
  shard.CountIn(counters, latencies);
}

std::vector<EndpointStatus> Director::Status() const {
  const SteadyTime now = SystemClock().Steady();
  std::vector<EndpointStatus> all;
  const auto add = [&](const KnownWorker& worker, uint32_t failures) {
    EndpointStatus status{worker.endpoint, worker.health.healthy(), worker.health.reason()};
    if (status.healthy && worker.ejection.active(now)) {
      status.healthy = false;
      status.health_reason = Cat("ejected for ", FormatDuration(worker.ejection.length()), ": ",
                                 failures, " connections in a row failed or broke");
    }
    all.push_back(std::move(status));
  };
  for (const auto& [name, service] : services_) {
    for (const KnownWorker& worker : service.workers()) {
      add(worker, service.settings().ejection.failures);
    }
  }
  for (const Departed& departed : departed_) {
    add(departed.worker, departed.worker.endpoint->failures_to_tell.load());
  }
  return all;
}

void Director::BeginReport(uint64_t sequence) {
  for (Departed& departed : departed_) {
    const EndpointPointer& endpoint = departed.worker.endpoint;
    // Nobody else holds it, so nobody will count for it any more; and what they counted while they
    // had a request is seen once that is.
    if (departed.final_report != 0 || endpoint.use_count() > 1) continue;
    if (endpoint->in_flight.load(std::memory_order_acquire) > 0) continue;
    departed.final_report = sequence;
  }
}

void Director::ReportArrived(uint64_t sequence) {
  std::erase_if(departed_, [this, sequence](Departed& departed) {
    if (departed.final_report == 0 || departed.final_report > sequence) return false;
    // Another endpoint counts there where a worker goes on at another address.
    const Endpoint& endpoint = *departed.worker.endpoint;
    if (endpoint.counters.use_count() > 1) return true;
    counters_.Free(endpoint.counters);
    for (const auto& durations : endpoint.durations) counters_.Free(durations);
    return true;
  });
}

uint64_t Director::unrouted() const {
  uint64_t sum = 0;
  for (const auto& [number, counters] : shard_counters_) sum += counters->unrouted.load();
  return sum;
}

std::map<std::string, uint64_t> Director::requests_by_route() const {
  std::map<std::string, uint64_t> counts;
  for (const auto& [name, requests] : requests_by_route_) counts[name] = requests->load();
  return counts;
}

uint64_t Director::connections() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->connections();
  return sum;
}

uint64_t Director::requests() const {
  uint64_t sum = 0;
  for (const auto& [number, counters] : shard_counters_) sum += counters->requests.load();
  return sum;
}

LatencyCounts Director::latencies() const {
  LatencyCounts sum;
  for (const auto& [number, latencies] : latencies_) latencies->AddTo(sum);
  return sum;
}

SparseDurations Director::DurationsOf(const Endpoint& endpoint) {
  DurationCounts sum;
  for (const auto& durations : endpoint.durations) durations->total.AddTo(sum);
  return SparseDurations(sum);
}

std::map<int, uint64_t> Director::own_answers() const {
  std::map<int, uint64_t> sums;
  for (const auto& [number, counters] : shard_counters_) {
    for (int status = 0; status < 600; ++status) {
      const uint64_t count = counters->own_answers[status].load();
      if (count > 0) sums[status] += count;
    }
  }
  return sums;
}

}  // namespace gocomet::dataplane
