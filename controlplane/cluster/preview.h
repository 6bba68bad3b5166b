#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "controlplane/cluster/plan.h"

namespace gocomet::controlplane {

// What going from one desired state to another would do to what runs now.
struct Preview {
  struct WorkerStep {
    enum class Kind : uint8_t {
      kStart,
      kReplace,  // Its successor starts; then it drains and stops.
      kStop,     // It drains and stops.
    };
    Kind kind = Kind::kStart;
    std::string worker;
    uint32_t port = 0;
  };
  struct ServiceSteps {
    std::string service;
    std::vector<WorkerStep> steps;  // In the order in which they are taken.
    uint32_t serving = 0;           // Now.
    uint32_t lowest_serving = 0;    // Meanwhile, where none of them fails.
    uint32_t first_port = 0;        // That its workers may use, successors included; 0: none.
    uint32_t last_port = 0;
  };
  struct BalancerStep {
    bool starts = false;  // Otherwise it drains and stops.
    std::string balancer;
    std::string address;
    uint64_t connections = 0;  // Of clients, open now.
  };

  std::vector<ServiceSteps> services;  // That have any.
  std::vector<BalancerStep> balancers;
  uint64_t client_connections_affected = 0;  // At balancers that stop.
  std::vector<std::string> sentences;        // All of it, for people, in order.
};

// Pure. Empty where nothing would change.
Preview MakePreview(const Desired& from, const Desired& to, std::span<const Worker> workers,
                    std::span<const Balancer> balancers);

}  // namespace gocomet::controlplane
