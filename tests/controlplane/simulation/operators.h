#pragma once

#include "controlplane/cluster/cluster.h"
#include "tests/controlplane/simulation/laws.h"
#include "tests/controlplane/simulation/simulated_time.h"

// What people ask of a control plane, through its mailbox as they do.
namespace gocomet::controlplane {

Config FirstConfig(Dice& dice);
// Its workers never answer.
bool IsBad(const Config& config);

// One thing at random.
void Ask(Cluster& cluster, Setting& setting, Laws& laws);
// A config that works, and nobody held.
void AskForCalm(Cluster& cluster, Setting& setting, Laws& laws);

}  // namespace gocomet::controlplane
