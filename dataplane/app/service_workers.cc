#include "dataplane/app/service_workers.h"

#include <utility>

namespace gocomet::dataplane {
namespace {

ProbeOutcome OutcomeOf(const ProbeResult& result) {
  if (result.passed) return ProbeOutcome::kPassed;
  if (result.refused) return ProbeOutcome::kRefused;
  return result.timed_out ? ProbeOutcome::kTimedOut : ProbeOutcome::kWrongAnswer;
}

}  // namespace

void ServiceWorkers::Assign(WantedService settings, std::vector<KnownWorker> workers) {
  settings_ = std::move(settings);
  settings_.endpoints.clear();
  workers_ = std::move(workers);
  for (KnownWorker& worker : workers_) {
    worker.endpoint->failures_to_tell.store(settings_.ejection.failures, std::memory_order_relaxed);
  }
}

std::vector<KnownWorker*> ServiceWorkers::Takers() {
  std::vector<KnownWorker*> takers;
  for (KnownWorker& worker : workers_) {
    if (!worker.draining) takers.push_back(&worker);
  }
  return takers;
}

std::vector<Standing> ServiceWorkers::StandingsOf(const std::vector<KnownWorker*>& takers) {
  std::vector<Standing> standings;
  standings.reserve(takers.size());
  for (const KnownWorker* worker : takers) {
    standings.push_back({.healthy = worker->health.healthy(),
                         .takes_connections = worker->health.takes_connections(),
                         .ejected_until = worker->ejection.until()});
  }
  return standings;
}

void ServiceWorkers::Judge(SteadyTime now) {
  ++judgement_;
  next_change_.reset();
  const auto changes_at = [this, now](SteadyTime time) {
    if (time > now && (!next_change_ || time < *next_change_)) next_change_ = time;
  };
  const std::vector<KnownWorker*> takers = Takers();
  const auto eligible = ChooseEligible(StandingsOf(takers), settings_.health.panic_percent, now);
  const bool others_serve = !candidates_.empty();
  candidates_.clear();
  steady_candidates_.clear();
  size_t next = 0;  // Of `eligible`, which is ascending.
  for (size_t i = 0; i < takers.size(); ++i) {
    KnownWorker& worker = *takers[i];
    changes_at(worker.ejection.until());
    const bool is_chosen = next < eligible.size() && eligible[next] == i;
    // Where nobody else serves, nobody could take what it does not.
    if (is_chosen && !worker.routed_to && others_serve) worker.slow_start.Begin(now);
    worker.routed_to = is_chosen;
    if (!is_chosen) continue;
    ++next;
    const uint32_t tenths = worker.slow_start.Tenths(now, settings_.slow_start);
    if (const auto step = worker.slow_start.NextStep(now, settings_.slow_start)) changes_at(*step);
    candidates_.push_back({worker.endpoint, worker.weight * tenths});
    steady_candidates_.push_back({worker.endpoint, worker.weight});
  }
}

bool ServiceWorkers::ObserveProbe(KnownWorker& worker, const ProbeResult& result) {
  const ProbeOutcome outcome = OutcomeOf(result);
  if (outcome != ProbeOutcome::kRefused) {
    worker.endpoint->refuses.store(false, std::memory_order_relaxed);
  }
  return worker.health.ObserveProbe(outcome, result.result, settings_.health.policy);
}

bool ServiceWorkers::ObserveFailures(KnownWorker& worker, SteadyTime now) {
  if (worker.ejection.active(now)) return false;
  if (!MayEjectOneMore(StandingsOf(Takers()), now)) return false;
  worker.ejection.Eject(now, settings_.ejection);
  return true;
}

RoutingTablePointer ServiceWorkers::TableFor(Algorithm algorithm, const std::string& route) {
  const bool by_key = algorithm == Algorithm::kConsistentHash;
  Table& entry = tables_[{algorithm, by_key ? "" : route}];
  entry.used = true;
  if (entry.table && entry.judgement == judgement_) return entry.table;
  // A key's worker must not depend on the time.
  entry.table = std::make_shared<RoutingTable>(by_key ? steady_candidates_ : candidates_, algorithm,
                                               entry.table.get());
  entry.judgement = judgement_;
  return entry.table;
}

void ServiceWorkers::ForgetUnusedTables() {
  std::erase_if(tables_, [](const auto& entry) { return !entry.second.used; });
  for (auto& [key, entry] : tables_) entry.used = false;
}

}  // namespace gocomet::dataplane
