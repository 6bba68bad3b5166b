#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controlplane/model/config.h"

// The values that outlive a process: what the store keeps.
namespace gocomet::controlplane {

struct Revision {
  uint64_t number = 0;  // From 1.
  WallTime create_time{};
  std::string author;
  std::string reason;
  std::string source;  // `file`, `apply`, `scale`, `rollback`.
  std::string content_hash;
  std::string config_yaml;
};

enum class Severity : uint8_t { kInfo = 1, kWarning = 2, kError = 3 };

struct Event {
  uint64_t sequence = 0;  // From 1, without gaps.
  WallTime time{};
  Severity severity = Severity::kInfo;
  std::string subject;  // `worker/worker-0`, `balancer/balancer-1`, `service/worker`, `cluster`
  std::string kind;     // One CamelCase word.
  std::string message;
};

// Cumulative over the life of one incarnation of a worker.
struct RequestCounters {
  uint64_t successful = 0;
  uint64_t failed = 0;
  uint64_t duration_microseconds = 0;  // Sum over all requests.
  bool operator==(const RequestCounters&) const = default;
  uint64_t total() const { return successful + failed; }
};

// The newest report of one incarnation of a worker.
struct WorkerTotals {
  std::string worker_id;
  uint64_t incarnation = 0;  // 0: taken over from an ancestor's database.
  std::string worker_name;
  std::string service;
  uint64_t sequence = 0;
  RequestCounters counters;
  WallTime report_time{};
};

// What one incarnation of a balancer saw of one incarnation of a worker.
struct BalancedTotals {
  std::string balancer;
  uint64_t balancer_incarnation = 0;
  std::string worker_id;
  uint64_t worker_incarnation = 0;
  uint64_t answered = 0;
  uint64_t by_status_class[5] = {};  // 1xx to 5xx.
  uint64_t connect_errors = 0;
  uint64_t resets = 0;
  uint64_t timeouts = 0;
  uint64_t retried = 0;
  uint64_t bytes_to_worker = 0;
  uint64_t bytes_from_worker = 0;
};

}  // namespace gocomet::controlplane
