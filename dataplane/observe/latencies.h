#pragma once

#include "common/counters/histogram.h"
#include "dataplane/observe/exchange_trace.h"

namespace gocomet::dataplane {

// Of the requests that a worker's answer ended, whole: the parts that ExchangeTrace names.
struct LatencyCounts {
  DurationCounts total;
  DurationCounts worker;
  DurationCounts own;
};

// What one thread counts of them; read by others.
struct Latencies {
  static constexpr uint32_t kKind = 4;  // In a CounterFile.

  Histogram total;
  Histogram worker;
  Histogram own;

  void Record(const ExchangeTrace& trace) {
    total.Record(trace.total());
    own.Record(trace.own());
    if (const auto span = trace.worker()) worker.Record(*span);
  }
  void AddTo(LatencyCounts& sum) const {
    total.AddTo(sum.total);
    worker.AddTo(sum.worker);
    own.AddTo(sum.own);
  }
};

}  // namespace gocomet::dataplane
