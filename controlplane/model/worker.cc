#include "controlplane/model/worker.h"

#include <algorithm>

namespace gocomet::controlplane {

const char* ToString(WorkerState state) {
  switch (state) {
    case WorkerState::kPending:
      return "Pending";
    case WorkerState::kStarting:
      return "Starting";
    case WorkerState::kReady:
      return "Ready";
    case WorkerState::kUnhealthy:
      return "Unhealthy";
    case WorkerState::kDraining:
      return "Draining";
    case WorkerState::kStopped:
      return "Stopped";
    case WorkerState::kBackOff:
      return "BackOff";
  }
  return "Unknown";
}

const char* ToString(BalancerState state) {
  switch (state) {
    case BalancerState::kStarting:
      return "Starting";
    case BalancerState::kReady:
      return "Ready";
    case BalancerState::kDisconnected:
      return "Disconnected";
    case BalancerState::kDraining:
      return "Draining";
    case BalancerState::kStopped:
      return "Stopped";
    case BalancerState::kBackOff:
      return "BackOff";
  }
  return "Unknown";
}

std::chrono::seconds BackOffDelay(uint32_t crashes) {
  if (crashes == 0) return std::chrono::seconds(0);
  return std::chrono::seconds(std::min<int64_t>(60, int64_t{1} << std::min(crashes - 1, 6U)));
}

std::chrono::seconds BalancerBackOffDelay(uint32_t crashes) {
  return BackOffDelay(crashes == 0 ? 0 : crashes - 1);
}

}  // namespace gocomet::controlplane
