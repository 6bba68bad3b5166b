#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"

// The observed state as values: what the owner thread knows of workers and balancers. Pure.
namespace gocomet::controlplane {

// kPending -> kStarting -> kReady <-> kUnhealthy -> kDraining -> kStopped -> (gone)
//     |           |            |            |            |
//     +-----------+------------+------------+------------+---> kBackOff -> (a successor starts)
enum class WorkerState : uint8_t {
  kPending,    // Its start has been asked for and not yet answered.
  kStarting,   // Runs, and has not answered a probe yet.
  kReady,      // Takes requests.
  kUnhealthy,  // Answered once; fails its probes now.
  kDraining,   // Takes no new requests.
  kStopped,    // Does not run, as we wanted; to be removed.
  kBackOff,    // Ended on its own or never started; holds its ordinal until a successor starts.
};

const char* ToString(WorkerState state);

// The runtime call that is under way; there is never more than one per worker.
enum class Operation : uint8_t { kNone, kStart, kStop, kDiagnose, kRemove };

struct Probe {
  WallTime time{};
  std::string target;
  bool passed = false;
  std::string result;
  std::chrono::microseconds duration{0};
};

struct Failure {
  WallTime time{};
  std::string cause;
  int exit_code = -1;
  int signal = 0;
  bool out_of_memory = false;
  std::vector<std::string> last_log_lines;
};

struct Worker {
  std::string instance;  // Chosen by us; unique for ever.
  std::string id;        // What people see; empty while pending.
  std::string service;
  uint32_t ordinal = 0;
  uint16_t port = 0;
  std::string template_hash;

  std::string handle;  // The runtime's; empty while it has nothing of ours.
  std::string address;
  std::string balancer_address;
  std::string image;
  int64_t pid = 0;
  uint64_t incarnation = 0;  // From its hello; 0 while it has not spoken.
  uint64_t generation = 1;   // Counts incarnations: what balancers know it by, beside its id.

  WorkerState state = WorkerState::kPending;
  std::string reason;
  Operation operation = Operation::kNone;
  SteadyTime state_since{};
  SteadyTime retry_at{};  // No further runtime call before this, since the last one failed.
  WallTime create_time{};
  WallTime ready_time{};                  // Epoch: never.
  std::optional<SteadyTime> ready_since;  // Of the present spell of health.

  uint32_t passes_in_a_row = 0;
  uint32_t failures_in_a_row = 0;
  std::optional<Probe> last_probe;

  bool adopted = false;            // Ran before we did, and has not been probed since.
  bool held = false;               // Drained by an operator; stays until undrained.
  bool replace_requested = false;  // To be replaced though its template is current.
  bool stop_wanted = false;        // Draining ends in a stop.
  uint64_t drain_version = 0;      // First snapshot that says it drains; 0: none yet.

  uint32_t crashes = 0;        // Of this ordinal, since it was healthy for long.
  SteadyTime next_start{};     // In kBackOff.
  WallTime next_start_time{};  // The same for people.
  std::optional<Failure> failure;

  std::string name() const { return service + "-" + std::to_string(ordinal); }
  // Nobody knows yet whether it serves.
  bool is_unproven() const { return adopted && state == WorkerState::kStarting; }
  // As far as we know: balancers go on with one that is unproven, as they did before.
  bool takes_requests() const { return state == WorkerState::kReady || is_unproven(); }
};

// Seconds that a worker waits after its n-th crash in a row: 1, 2, 4 … 60.
std::chrono::seconds BackOffDelay(uint32_t crashes);
// Health for this long forgives all earlier crashes.
inline constexpr std::chrono::seconds kHealthyForgives{60};

enum class BalancerState : uint8_t {
  kStarting,
  kReady,
  kDisconnected,
  kDraining,
  kStopped,
  kBackOff,
};

const char* ToString(BalancerState state);

struct Balancer {
  std::string name;
  std::string address;
  uint32_t threads = 1;
  std::string program;  // Names the content of what it runs; empty where unknown.

  BalancerState state = BalancerState::kStarting;
  std::string reason;
  bool process_alive = false;
  int64_t pid = 0;
  SteadyTime state_since{};
  // With or without the control plane; none before it has served.
  std::optional<SteadyTime> serving_since;
  WallTime start_time{};
  uint32_t crashes = 0;
  SteadyTime next_start{};
  WallTime next_start_time{};

  bool connected = false;
  uint64_t incarnation = 0;
  uint64_t acknowledged_version = 0;  // Snapshot that all of its threads use.
  bool reported_since_ack = false;    // Its in-flight numbers are of that snapshot or a later one.
  uint64_t acknowledged_revision = 0;
  uint64_t requests = 0;
  uint64_t connections = 0;
  std::optional<uint64_t> own_errors;  // 5xx that it answered itself; none before it has said so.
  std::string version;

  struct EndpointView {
    std::string worker_id;
    uint64_t incarnation = 0;
    bool healthy = true;
    std::string health_reason;
    uint64_t in_flight = 0;
  };
  std::vector<EndpointView> endpoints;
};

// For so long a balancer must have served to be started again at once: while it does not, its port
// refuses connections.
inline constexpr std::chrono::seconds kServingForgives{1};

// 0 after the first crash, so that its port is back at once; then 1, 2, 4 … 60 s.
std::chrono::seconds BalancerBackOffDelay(uint32_t crashes);

}  // namespace gocomet::controlplane
