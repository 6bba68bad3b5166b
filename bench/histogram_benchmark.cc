// What it costs to record a duration, and to read what was recorded.
#include <chrono>
#include <vector>

#include <benchmark/benchmark.h>

#include "common/counters/histogram.h"
#include "dataplane/balance/stable_hash.h"

namespace gocomet::dataplane {
namespace {

using std::chrono::nanoseconds;

// Durations from 16 µs to 1 ms, in no order that a branch predictor could learn.
std::vector<nanoseconds> Durations() {
  std::vector<nanoseconds> durations;
  for (uint64_t i = 0; i < 4096; ++i) {
    durations.emplace_back(static_cast<int64_t>(16'000 + Mix(i) % 1'000'000));
  }
  return durations;
}

void Record(benchmark::State& state) {
  const std::vector<nanoseconds> durations = Durations();
  Histogram histogram;
  size_t next = 0;
  for (auto _ : state) {
    histogram.Record(durations[next]);
    next = (next + 1) % durations.size();
  }
}
BENCHMARK(Record);

void Merge(benchmark::State& state) {
  Histogram histogram;
  for (const nanoseconds duration : Durations()) histogram.Record(duration);
  DurationCounts sum;
  for (auto _ : state) {
    histogram.AddTo(sum);
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(Merge);

void Quantile(benchmark::State& state) {
  Histogram histogram;
  for (const nanoseconds duration : Durations()) histogram.Record(duration);
  DurationCounts counts;
  histogram.AddTo(counts);
  for (auto _ : state) benchmark::DoNotOptimize(counts.Quantile(0.99));
}
BENCHMARK(Quantile);

// The other part of what observing a request costs: four of these.
void ReadTheClock(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(std::chrono::steady_clock::now());
}
BENCHMARK(ReadTheClock);

}  // namespace
}  // namespace gocomet::dataplane

BENCHMARK_MAIN();
