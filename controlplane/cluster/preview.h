#pragma once

#include <span>
#include <string>
#include <vector>

#include "controlplane/cluster/plan.h"

namespace gocomet::controlplane {

// What going from one desired state to another would do to what runs now: one sentence per step, in
// order. Empty where nothing would change. Pure.
std::vector<std::string> PreviewSteps(const Desired& from, const Desired& to,
                                      std::span<const Worker> workers,
                                      std::span<const Balancer> balancers);

}  // namespace gocomet::controlplane
