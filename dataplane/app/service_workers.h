#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "dataplane/app/assignment.h"
#include "dataplane/health/ejection.h"
#include "dataplane/health/eligibility.h"
#include "dataplane/health/endpoint_health.h"
#include "dataplane/health/slow_start.h"
#include "dataplane/proxy/endpoint.h"
#include "dataplane/proxy/routing.h"

namespace gocomet::dataplane {

// What is known of one worker.
struct KnownWorker {
  EndpointPointer endpoint;
  EndpointHealth health;
  Ejection ejection;
  SlowStart slow_start;
  bool routed_to = false;
  uint32_t weight = 1;
  bool draining = false;
  bool assigned = true;
};

// The workers of one service: what was learnt of each, and the tables that follow. No clock: times
// are arguments. Belongs to one thread.
class ServiceWorkers {
 public:
  ServiceWorkers() = default;
  // Anew what it is to be; `workers` in ordinal order.
  void Assign(WantedService settings, std::vector<KnownWorker> workers);

  const WantedService& settings() const { return settings_; }  // Without its endpoints.
  std::vector<KnownWorker>& workers() { return workers_; }
  const std::vector<KnownWorker>& workers() const { return workers_; }

  // Decides who may have requests now. Tables that are asked for afterwards follow from it.
  void Judge(SteadyTime now);
  // When time alone will change that.
  std::optional<SteadyTime> next_change() const { return next_change_; }

  bool ObserveProbe(KnownWorker& worker, const ProbeResult& result);
  // Ejects it, if that is allowed. True where it did.
  bool ObserveFailures(KnownWorker& worker, SteadyTime now);

  // The table for requests of `route`: each has turns of its own, so that routes which meet in step
  // do not give each other's turns to one worker. Those that keep keys together share one.
  RoutingTablePointer TableFor(Algorithm algorithm, const std::string& route);
  // After all have been asked for: forgets those that were not.
  void ForgetUnusedTables();

 private:
  struct Table {
    RoutingTablePointer table;
    uint64_t judgement = 0;  // That it follows from.
    bool used = false;       // Since others were forgotten.
  };

  std::vector<KnownWorker*> Takers();
  static std::vector<Standing> StandingsOf(const std::vector<KnownWorker*>& takers);

  WantedService settings_;
  std::vector<KnownWorker> workers_;
  std::vector<Candidate> candidates_;         // With shares that may grow.
  std::vector<Candidate> steady_candidates_;  // With whole shares.
  std::optional<SteadyTime> next_change_;
  uint64_t judgement_ = 0;
  std::map<std::pair<Algorithm, std::string>, Table> tables_;
};

}  // namespace gocomet::dataplane
