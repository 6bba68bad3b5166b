#pragma once

#include <string>
#include <vector>

#include "controlplane/cluster/plan.h"

// Values that the tests of pure parts begin with.
namespace gocomet::controlplane {

inline constexpr SteadyTime kStart = SteadyTime(std::chrono::hours(1));

inline ServiceDesire WantedService(uint32_t replicas, const std::string& template_hash = "new") {
  ServiceDesire desire;
  desire.spec.replicas = replicas;
  desire.template_hash = template_hash;
  return desire;
}

// No balancers unless a test wants them.
inline Desired Wanted(uint32_t replicas, const std::string& template_hash = "new") {
  Desired desired;
  desired.services = {WantedService(replicas, template_hash)};
  desired.balancers.count = 0;
  return desired;
}

inline Worker WorkerIn(WorkerState state, uint32_t ordinal,
                       const std::string& template_hash = "new") {
  Worker worker;
  worker.instance = "i" + std::to_string(ordinal);
  worker.id = "id" + std::to_string(ordinal);
  worker.service = "worker";
  worker.ordinal = ordinal;
  worker.port = static_cast<uint16_t>(6000 + ordinal);
  worker.template_hash = template_hash;
  worker.handle = "h" + std::to_string(ordinal);
  worker.state = state;
  worker.state_since = kStart;
  if (state == WorkerState::kReady) worker.ready_since = kStart;
  return worker;
}

inline Worker DrainingWorker(uint32_t ordinal, uint64_t version) {
  Worker worker = WorkerIn(WorkerState::kDraining, ordinal);
  worker.stop_wanted = true;
  worker.drain_version = version;
  return worker;
}

inline Balancer ConnectedBalancer(uint64_t acknowledged_version) {
  Balancer balancer;
  balancer.name = "balancer-0";
  balancer.address = "127.0.0.1:5050";
  balancer.process_alive = true;
  balancer.connected = true;
  balancer.state = BalancerState::kReady;
  balancer.acknowledged_version = acknowledged_version;
  balancer.reported_since_ack = true;
  return balancer;
}

// The plan's actions as lines.
inline std::vector<std::string> Lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Action& action : plan.actions) lines.push_back(ToString(action));
  return lines;
}

}  // namespace gocomet::controlplane
