#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/app/token_issuer.h"
#include "controlplane/cluster/balancer_fleet.h"

namespace gocomet::controlplane {

struct BalancerProcessesOptions {
  std::string program;            // Absolute path of gocomet-balancer.
  std::string program_content;    // Names its content: differs whenever that does.
  std::string directory;          // One sub-directory per balancer: token, logs, last snapshot.
  std::string data_plane_socket;  // Where balancers find the control plane.
};

// Balancers as processes that outlive the control plane. What an earlier one left running is found
// by the process list, so that no crash between a start and its record loses one.
absl::StatusOr<std::unique_ptr<BalancerLauncher>> MakeBalancerProcesses(
    BalancerProcessesOptions options, const TokenIssuer& tokens, const Clock& clock);

}  // namespace gocomet::controlplane
