#pragma once

#include <set>
#include <span>
#include <string>

#include "common/base/clock.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/model/worker.h"
#include "controlplane/rollout/rollout_machine.h"

// What workers say about a rollout of their service. Pure.
namespace gocomet::controlplane {

RolloutView ViewRollout(const ServiceDesire& desire, std::span<const Worker> workers,
                        SteadyTime now);

// Why new workers do not become ready, in words: the newest failure of one, or what one waits for.
std::string DiagnoseRollout(const ServiceDesire& desire, std::span<const Worker> workers);

// What the outdated workers that stay run.
std::set<std::string> OutdatedHashes(const ServiceDesire& desire, std::span<const Worker> workers);

}  // namespace gocomet::controlplane
