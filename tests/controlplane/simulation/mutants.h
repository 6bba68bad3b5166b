#pragma once

#include <string>
#include <vector>

#include "controlplane/cluster/plan.h"

namespace gocomet::controlplane {

// A control plane with one fault built in, each against another law: the simulation is worth
// something only if it finds each of them.
struct Mutant {
  std::string name;
  // Unset: the real plan.
  Plan (*plan)(const Desired&, std::span<const Worker>, std::span<const Balancer>,
               SteadyTime) = nullptr;
  bool forgets_rollouts = false;  // The database loses what it has acknowledged.
  bool ignores_draining = false;  // Balancers acknowledge that they let go, and do not.
  std::string breach = {};        // What is found: a part of its words.
};

const std::vector<Mutant>& Mutants();

}  // namespace gocomet::controlplane
