#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"

// A rollout as a durable value: one change of what a service's workers run. Pure.
namespace gocomet::controlplane {

enum class RolloutCause : uint8_t {
  kApply = 1,  // A new config, from a file or from ApplyConfig.
  kRestart,    // Fresh workers that run the same.
  kRollback,   // Back to an earlier revision, by a person or because a rollout failed.
  kUndo,       // Back to what ran before the last rollout.
  kUpgrade,    // The workers that run are of another program or another GoComet.
};

enum class RolloutState : uint8_t {
  kProgressing = 1,
  kPaused,
  kDone,
  kRolledBack,
  kFailed,
  kAborted,
  kSuperseded,  // A newer change took its place.
};

// As people read them: `apply`; `progressing`, `rolled back`.
const char* ToString(RolloutCause cause);
const char* ToString(RolloutState state);

// What it cost. Of the service's own workers but for `balancer_errors`.
struct RolloutReport {
  uint64_t requests = 0;         // Answered by workers.
  uint64_t server_errors = 0;    // 5xx that workers answered.
  uint64_t balancer_errors = 0;  // 5xx that balancers answered themselves, for any service.
  uint64_t retried = 0;
  uint32_t lowest_capacity = 0;  // Fewest workers that took requests at once.
  std::chrono::milliseconds longest_drain{0};
  uint32_t workers_replaced = 0;
  // Of the requests in the minute before, and of those that the new workers had answered when it
  // was done; 0 where there were none.
  std::chrono::microseconds p99_before{0};
  std::chrono::microseconds p99_after{0};
  bool operator==(const RolloutReport&) const = default;
};

struct RolloutRecord {
  uint64_t id = 0;  // From 1, over all services.
  std::string service;
  uint64_t from_revision = 0;  // The newest before it; 0: the service is new.
  uint64_t to_revision = 0;
  // What a failure goes back to: the newest revision that was rolled out to its end. 0: none.
  uint64_t good_revision = 0;
  // Counts restarts: part of what workers are compared by, so that a restart survives a crash.
  uint64_t generation = 0;
  uint64_t good_generation = 0;
  RolloutCause cause = RolloutCause::kApply;
  std::string author;
  std::string reason;

  RolloutState state = RolloutState::kProgressing;
  std::string message;  // Why it is in that state, in words.
  WallTime create_time{};
  WallTime end_time{};  // The epoch while it is under way.

  std::string template_hash;  // Of the workers it brings.
  // Others that may stay: of workers that were there when it was given up without going back.
  std::vector<std::string> accepted_hashes;

  // As last seen.
  uint32_t wanted = 0;
  uint32_t updated = 0;    // New workers that exist.
  uint32_t available = 0;  // Those of them that have been ready for long enough.
  uint32_t outdated = 0;   // Old workers that exist.
  RolloutReport report;

  bool is_active() const {
    return state == RolloutState::kProgressing || state == RolloutState::kPaused;
  }
  bool operator==(const RolloutRecord&) const = default;
};

}  // namespace gocomet::controlplane
