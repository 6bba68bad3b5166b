// One full pass of the planner over 1000 services with 10 workers each, in CPU time.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "common/base/text.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/cluster/snapshot.h"

namespace gocomet::controlplane {
namespace {

constexpr uint32_t kServices = 1000;
constexpr uint32_t kReplicas = 10;
constexpr uint32_t kBalancers = 50;
constexpr SteadyTime kNow = SteadyTime(std::chrono::hours(1));
constexpr uint64_t kVersion = 7;

Desired WantedServices() {
  Desired desired;
  desired.balancers.count = kBalancers;
  for (uint32_t i = 0; i < kServices; ++i) {
    ServiceDesire& desire = desired.services.emplace_back();
    desire.spec.name = Cat("service-", i);
    desire.spec.replicas = kReplicas;
    desire.spec.host_port_base = static_cast<uint16_t>(10'000 + i * 20);
    desire.template_hash = std::string(64, 'a');
  }
  return desired;
}

std::vector<Worker> WorkersOf(const Desired& desired, WorkerState state) {
  std::vector<Worker> workers;
  for (uint32_t ordinal = 0; ordinal < kReplicas; ++ordinal) {
    for (const ServiceDesire& desire : desired.services) {
      Worker& worker = workers.emplace_back();
      worker.instance = worker.id = worker.handle = Cat(desire.spec.name, "-", ordinal);
      worker.service = desire.spec.name;
      worker.ordinal = ordinal;
      worker.port = static_cast<uint16_t>(desire.spec.host_port_base + ordinal);
      worker.template_hash = desire.template_hash;
      worker.state = state;
      worker.state_since = worker.ready_since.emplace(kNow);
      worker.stop_wanted = state == WorkerState::kDraining;
      worker.drain_version = worker.stop_wanted ? kVersion : 0;
    }
  }
  return workers;
}

// Each of them has a request with each of the workers.
std::vector<Balancer> BalancersOf(const Desired& desired, const std::vector<Worker>& workers) {
  std::vector<Balancer> balancers;
  for (uint32_t i = 0; i < kBalancers; ++i) {
    Balancer& balancer = balancers.emplace_back();
    balancer.name = BalancerName(i);
    balancer.address = BalancerAddress(desired.balancers, i);
    balancer.state = BalancerState::kReady;
    balancer.process_alive = balancer.connected = balancer.reported_since_ack = true;
    balancer.acknowledged_version = kVersion;
    for (const Worker& worker : workers) {
      balancer.endpoints.push_back({.worker_id = worker.id, .in_flight = 1});
    }
  }
  return balancers;
}

void Measure(benchmark::State& state, const Desired& desired, const std::vector<Worker>& workers,
             const std::vector<Balancer>& balancers) {
  size_t actions = 0;
  for (auto _ : state) {
    const Plan plan = MakePlan(desired, workers, balancers, kNow);
    actions = plan.actions.size();
    benchmark::DoNotOptimize(plan);
  }
  state.counters["actions"] = static_cast<double>(actions);
}

void PlanWhereAllIsWell(benchmark::State& state) {
  const Desired desired = WantedServices();
  const auto workers = WorkersOf(desired, WorkerState::kReady);
  Measure(state, desired, workers, BalancersOf(desired, workers));
}

void PlanWhereNothingRuns(benchmark::State& state) { Measure(state, WantedServices(), {}, {}); }

void PlanWhereAllIsOutdated(benchmark::State& state) {
  Desired desired = WantedServices();
  const auto workers = WorkersOf(desired, WorkerState::kReady);
  for (ServiceDesire& desire : desired.services) desire.template_hash = std::string(64, 'b');
  Measure(state, desired, workers, BalancersOf(desired, workers));
}

void PlanWhereAllDrain(benchmark::State& state) {
  const Desired desired = WantedServices();
  const auto workers = WorkersOf(desired, WorkerState::kDraining);
  Measure(state, desired, workers, BalancersOf(desired, workers));
}

void PlanWhereNothingIsWantedAnyMore(benchmark::State& state) {
  const Desired desired = WantedServices();
  const auto workers = WorkersOf(desired, WorkerState::kReady);
  Measure(state, Desired{.balancers = {.count = 0}}, workers, {});
}

void SnapshotOfAll(benchmark::State& state) {
  const Desired desired = WantedServices();
  const auto workers = WorkersOf(desired, WorkerState::kReady);
  for (auto _ : state) benchmark::DoNotOptimize(BuildSnapshot(1, desired, workers));
}

BENCHMARK(PlanWhereAllIsWell)->Unit(benchmark::kMillisecond);
BENCHMARK(PlanWhereNothingRuns)->Unit(benchmark::kMillisecond);
BENCHMARK(PlanWhereAllIsOutdated)->Unit(benchmark::kMillisecond);
BENCHMARK(PlanWhereAllDrain)->Unit(benchmark::kMillisecond);
BENCHMARK(PlanWhereNothingIsWantedAnyMore)->Unit(benchmark::kMillisecond);
BENCHMARK(SnapshotOfAll)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gocomet::controlplane

BENCHMARK_MAIN();
