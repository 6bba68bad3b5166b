#pragma once

#include <set>
#include <string>
#include <vector>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// An address that the config wants and that cannot be had.
struct TakenPort {
  std::string address;
  std::string wanted_for;  // `balancer-0`, `worker-2`, `gRPC`.
  std::string problem;     // What is wrong with it, and which key to change.
};

// Tries each address that the config wants but those in `ours`, which workers and balancers of an
// earlier control plane hold.
std::vector<TakenPort> FindTakenPorts(const Config& config, const ProcessSettings& process,
                                      bool workers_need_ports, const std::set<std::string>& ours);

}  // namespace gocomet::controlplane
