#pragma once

#include <set>
#include <span>
#include <vector>

#include "controlplane/cluster/plan.h"

// What MakePlan is made of.
namespace gocomet::controlplane {

void PlanBalancers(const Desired& desired, std::span<const Balancer> balancers, SteadyTime now,
                   Plan& plan);

}  // namespace gocomet::controlplane
