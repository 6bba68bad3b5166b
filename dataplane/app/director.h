#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <event2/event.h>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/probe/prober.h"
#include "dataplane/balance/settings.h"
#include "dataplane/health/ejection.h"
#include "dataplane/health/eligibility.h"
#include "dataplane/health/endpoint_health.h"
#include "dataplane/health/slow_start.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/latencies.h"
#include "dataplane/proxy/endpoint.h"
#include "dataplane/proxy/limits.h"
#include "dataplane/proxy/routing_table.h"
#include "dataplane/shard/event_loop.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {

struct HealthSettings {
  std::string path;  // Empty: connecting is enough.
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds timeout{2000};
  std::vector<StatusRange> expected{{200, 399}};
  HealthPolicy policy;
  uint32_t panic_percent = 30;  // With fewer left than that, judgements are not heeded.
};

struct WantedEndpoint {
  std::string worker_id;
  uint64_t incarnation = 0;
  Address address;
  bool draining = false;
  uint32_t weight = 1;
};

// What the balancer is to do, from the command line or from the control plane.
struct Assignment {
  std::vector<WantedEndpoint> endpoints;
  HealthSettings health;
  EjectionPolicy ejection;
  std::chrono::milliseconds slow_start{0};
  BalanceSettings balance;
};

struct EndpointStatus {
  EndpointPointer endpoint;
  bool healthy = true;        // By its probes, and not ejected for what requests met.
  std::string health_reason;  // Its last failure, where there was one.
};

// Turns an assignment, the probes' results and what requests meet into routing tables, and tells
// when all shards use them. Runs on the main loop's thread; Refused and SetAssignment may come from
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
  // Starts the threads. They accept nothing before AcceptFrom.
  void Start(int threads, ProxySettings settings);
  // Main loop's thread, once. Shares sockets that are bound and listen among the threads.
  void AcceptFrom(std::vector<UniqueFd> listeners);
  // Those sockets, which stay with the threads; good until Drain. Main loop's thread.
  const std::vector<int>& listening() const { return listening_; }

  // Any thread. `adopted` runs on the main loop's thread once every shard routes by it: no request
  // goes to an endpoint that drains or is not named any more.
  void SetAssignment(Assignment assignment, std::function<void()> adopted);

  // The two below: main loop's thread.
  void Drain(Shard::Waiting waiting);
  // Endpoints that are assigned, and those that still have something to count for.
  std::vector<EndpointStatus> Status() const;

  uint64_t connections() const;
  uint64_t requests() const;
  std::map<int, uint64_t> own_answers() const;
  LatencyCounts latencies() const;

 private:
  struct Known {
    EndpointPointer endpoint;
    EndpointHealth health;
    Ejection ejection;
    SlowStart slow_start;
    bool routed_to = false;
    uint32_t weight = 1;
    bool draining = false;
    bool assigned = true;
  };

  void Apply(const Assignment& assignment, std::function<void()> adopted);
  void OnProbe(const std::string& name, const ProbeResult& result);
  void OnRefused(const EndpointPointer& endpoint);
  void OnFailing(const EndpointPointer& endpoint);
  static void OnTime(evutil_socket_t fd, short what, void* self);

  // Those that are to take requests, and how they stand.
  std::vector<Known*> Takers();
  static std::vector<Standing> StandingsOf(const std::vector<Known*>& takers);
  // What was learnt of an endpoint changed, or its time came.
  void JudgementChanged();
  void Publish(const std::function<void()>& adopted);
  // Publishes again when time alone will change the table.
  void WakeAt(std::optional<SteadyTime> time, SteadyTime now);
  void SetProbeTargets();
  // Null where the endpoint is known no more.
  Known* Find(const EndpointPointer& endpoint);

  EventLoop& loop_;
  const Hooks hooks_;
  AccessLog* access_log_ = nullptr;
  Assignment settings_;  // Without its endpoints.
  std::vector<Known> known_;
  event* timer_;
  std::shared_ptr<const RoutingTable> table_;
  uint64_t table_number_ = 0;
  bool first_adopted_ = false;
  std::vector<int> listening_;
  size_t drained_shards_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Prober> prober_;
};

}  // namespace gocomet::dataplane
