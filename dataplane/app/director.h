#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <absl/status/statusor.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/counters/sparse_durations.h"
#include "common/probe/prober.h"
#include "dataplane/app/assignment.h"
#include "dataplane/app/counters.h"
#include "dataplane/app/service_workers.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/latencies.h"
#include "dataplane/proxy/endpoint.h"
#include "dataplane/proxy/limits.h"
#include "dataplane/proxy/routing.h"
#include "dataplane/route/router.h"
#include "dataplane/shard/event_loop.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {

struct EndpointStatus {
  EndpointPointer endpoint;
  bool healthy = true;        // By its probes, and not ejected for what requests met.
  std::string health_reason;  // Its last failure, where there was one.
};

// Turns an assignment, the probes' results and what requests meet into routings, and tells when all
// shards use them. Runs on the main loop's thread; Refused and SetAssignment may come from
// any.
class Director {
 public:
  struct Hooks {
    // Nothing is in flight with some draining endpoint any more. Main loop's thread.
    std::function<void()> nothing_in_flight;
    std::function<void()> drained;
    // Every shard routes by the first assignment. Main loop's thread.
    std::function<void()> first_adopted = [] {};
  };

  Director(EventLoop& loop, Hooks hooks);
  ~Director();
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  // Before Start. Tells `log`, which outlives this, of each exchange.
  void LogTo(AccessLog& log) { access_log_ = &log; }
  // Before Start. Goes on with what was counted there, which is reported like the rest.
  void CountIn(Counters counters);
  // Starts the threads. They accept nothing before AcceptFrom.
  void Start(int threads, ProxySettings settings);
  // Main loop's thread. Shares sockets that are bound and listen among the threads.
  void AcceptFrom(std::vector<UniqueFd> listeners);
  // Main loop's thread. Gives up these of them, after all who wait there are accepted.
  void StopAcceptingFrom(const std::vector<int>& listeners);
  // Those sockets, which stay with the threads; good until Drain. Main loop's thread.
  const std::vector<int>& listening() const { return listening_; }

  // Any thread. `adopted` runs on the main loop's thread once every shard routes by it: no request
  // goes to an endpoint that drains or is not named any more.
  void SetAssignment(Assignment assignment, std::function<void()> adopted);

  // The two below: main loop's thread.
  void Drain(Shard::Waiting waiting);
  // Endpoints that are assigned, and those whose last numbers are not known to have arrived.
  std::vector<EndpointStatus> Status() const;
  // Main loop's thread, before the report of that number is read off. What it tells of endpoints
  // that nobody uses any more is final.
  void BeginReport(uint64_t sequence);
  // Main loop's thread. All reports up to that one have arrived: what they said is final is
  // forgotten.
  void ReportArrived(uint64_t sequence);

  uint64_t connections() const;
  uint64_t requests() const;
  std::map<int, uint64_t> own_answers() const;
  uint64_t unrouted() const;
  // What each route that has had a name has taken. Main loop's thread.
  std::map<std::string, uint64_t> requests_by_route() const;
  LatencyCounts latencies() const;
  // Of the requests that it answered whole, by all threads.
  static SparseDurations DurationsOf(const Endpoint& endpoint);

 private:
  // Where a worker is found: of the service, and its place there.
  struct Place {
    ServiceWorkers* service = nullptr;
    size_t worker = 0;
  };

  // Not assigned any more.
  struct Departed {
    KnownWorker worker;
    uint64_t final_report = 0;  // That has its last numbers; 0 where they may still grow.
  };

  // By the number of the thread that counts, or did in an earlier life.
  template <typename Record>
  using Numbered = std::map<std::string, std::shared_ptr<Record>>;

  void Apply(const Assignment& assignment, std::function<void()> adopted);
  // Takes the worker out of those known, or makes it.
  KnownWorker TakeOrMake(const WantedEndpoint& wanted,
                         std::unordered_map<std::string, KnownWorker>& known);
  EndpointPointer MakeEndpoint(const std::string& worker_id, uint64_t incarnation,
                               const Address& address);
  Router::Requests RequestsOf(const std::string& route);
  void CountIn(Shard& shard);
  void AdoptRoutes(const std::vector<Route>& routes);
  void OnProbe(const std::string& name, const ProbeResult& result);
  void OnRefused(const EndpointPointer& endpoint);
  void OnFailing(const EndpointPointer& endpoint);
  static void OnTime(evutil_socket_t fd, short what, void* self);

  // What was learnt of a service's workers changed.
  void JudgementChanged(ServiceWorkers& service);
  std::shared_ptr<const Routing> MakeRouting();
  void Publish(const std::function<void()>& adopted);
  // Publishes again when time alone will change a table.
  void WakeAt(std::optional<SteadyTime> time, SteadyTime now);
  void SetProbeTargets();
  // Its service is null where the endpoint takes no requests any more.
  Place Find(const std::string& name);

  EventLoop& loop_;
  const Hooks hooks_;
  AccessLog* access_log_ = nullptr;
  Counters counters_;
  size_t recorders_ = 0;  // Threads that record durations, or did in an earlier life.
  Numbered<ShardCounters> shard_counters_;
  Numbered<Latencies> latencies_;
  std::map<std::string, ServiceWorkers> services_;
  std::vector<Departed> departed_;
  std::unordered_map<std::string, Place> places_;  // By NameOf, of those that are assigned.
  std::vector<Route> routes_;
  std::shared_ptr<const Router> router_;
  // By name, for good: a route that comes back goes on counting.
  std::map<std::string, Router::Requests> requests_by_route_;
  event* timer_;
  bool first_adopted_ = false;
  std::vector<int> listening_;
  size_t drained_shards_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Prober> prober_;
};

}  // namespace gocomet::dataplane
