#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "dataplane/observe/latencies.h"

namespace gocomet::dataplane {

// What a balancer has counted since it started.
struct BalancerStatistics {
  uint64_t connections = 0;  // Open now.
  uint64_t requests = 0;
  std::map<int, uint64_t> own_answers;  // That it made itself, by status.
  LatencyCounts latencies;

  struct Lines {
    uint64_t written = 0;
    uint64_t dropped = 0;
  };
  std::optional<Lines> access_log;  // Where there is one.
};

// As one line of JSON, with its end. Times are in microseconds. Pure.
std::string StatisticsLine(const BalancerStatistics& statistics,
                           std::chrono::nanoseconds now_since_1970);

}  // namespace gocomet::dataplane
