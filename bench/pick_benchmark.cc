// What it costs to choose a route and a worker, and to publish a table, by algorithm and number of
// workers.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "dataplane/balance/stable_hash.h"
#include "dataplane/proxy/routing_table.h"
#include "dataplane/route/router.h"

namespace gocomet::dataplane {
namespace {

std::vector<Candidate> Candidates(size_t count, uint32_t weight_max, uint64_t in_flight) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < count; ++i) {
    candidates.push_back({std::make_shared<Endpoint>("worker-" + std::to_string(i), 1, Address()),
                          static_cast<uint32_t>(i % weight_max + 1)});
    candidates.back().endpoint->in_flight = in_flight;
  }
  return candidates;
}

// With requests in flight everywhere: no algorithm gets away with the first idle worker it sees.
void Pick(benchmark::State& state, Algorithm algorithm, uint32_t weight_max) {
  const auto workers = static_cast<size_t>(state.range(0));
  const RoutingTable table(Candidates(workers, weight_max, 2), algorithm);
  uint64_t request = 0;
  for (auto _ : state) {
    ++request;
    benchmark::DoNotOptimize(
        table.Pick({.key_hash = Mix(request), .random = Mix(request + 1)}, {}));
  }
}

void Publish(benchmark::State& state, Algorithm algorithm, uint32_t weight_max) {
  const auto candidates = Candidates(static_cast<size_t>(state.range(0)), weight_max, 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(RoutingTable(candidates, algorithm));
  }
}

// The route for a request that the last of them takes; each looks at host and path.
void FindRoute(benchmark::State& state, const char* target) {
  std::vector<Route> routes(static_cast<size_t>(state.range(0)));
  for (size_t i = 0; i < routes.size(); ++i) {
    const std::string name = std::to_string(routes.size() - i);
    routes[i].name = name;
    routes[i].host = *http::HostPattern::Parse("*.example");
    routes[i].path = *http::PathPrefix::Parse("/api/v" + name);
    routes[i].targets = {{"stable", 95}, {"canary", 5}};
  }
  const Router router(std::move(routes));
  const http::Fields fields;
  for (auto _ : state) {
    const Router::Result found = router.Find({"www.example", target, fields});
    benchmark::DoNotOptimize(found.entry->Choose(std::nullopt));
  }
}

void EachNumber(benchmark::internal::Benchmark* benchmark) {
  for (const int workers : {3, 100, 1000}) benchmark->Arg(workers);
}

BENCHMARK_CAPTURE(Pick, round_robin, Algorithm::kRoundRobin, 1)->Apply(EachNumber);
BENCHMARK_CAPTURE(Pick, weighted, Algorithm::kWeighted, 10)->Apply(EachNumber);
BENCHMARK_CAPTURE(Pick, least_requests, Algorithm::kLeastRequests, 1)->Apply(EachNumber);
BENCHMARK_CAPTURE(Pick, two_choices, Algorithm::kTwoChoices, 1)->Apply(EachNumber);
BENCHMARK_CAPTURE(Pick, consistent_hash, Algorithm::kConsistentHash, 1)->Apply(EachNumber);

BENCHMARK_CAPTURE(FindRoute, plain, "/api/v1/users/1234/orders")->Arg(1)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(FindRoute, encoded_slash, "/api/v1/users%2F1234/orders")->Arg(1)->Arg(10);

BENCHMARK_CAPTURE(Publish, round_robin, Algorithm::kRoundRobin, 1)->Apply(EachNumber);
BENCHMARK_CAPTURE(Publish, weighted, Algorithm::kWeighted, 100)->Apply(EachNumber);
BENCHMARK_CAPTURE(Publish, consistent_hash, Algorithm::kConsistentHash, 1)->Apply(EachNumber);
BENCHMARK_CAPTURE(Publish, consistent_hash_weighted, Algorithm::kConsistentHash, 10)
    ->Apply(EachNumber);

}  // namespace
}  // namespace gocomet::dataplane

BENCHMARK_MAIN();
