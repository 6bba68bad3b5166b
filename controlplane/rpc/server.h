#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "controlplane/app/token_issuer.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/model/access_token.h"
#include "controlplane/model/config.h"
#include "controlplane/rpc/gatekeeper.h"
#include "controlplane/runtime/runtime_driver.h"
#include "gocomet/v1/cluster.pb.h"

namespace gocomet::controlplane {

// Everything that the control plane serves over gRPC: people and scripts on a TCP address,
// balancers and workers on a Unix socket each.
class RpcServer {
 public:
  struct Options {
    std::string public_address;     // `IP:PORT`
    std::string data_plane_socket;  // Path.
    std::string report_socket;      // Path.
    ProcessSettings process;
    v1::ClusterStatus facts;
    // How long a balancer or worker that has connected may take to say who it is.
    std::chrono::milliseconds hello_patience{10'000};
    AccessPolicy access;
    AccessLimits limits;
    std::vector<AccessToken> access_tokens;  // That exist already.
    TlsFiles tls;                            // Absolute paths; of the public address alone.
  };

  // Streams that the public address serves at once, to all clients together.
  static constexpr int kWatchesMax = 256;

  // ALREADY_EXISTS names the address that is taken; INVALID_ARGUMENT the TLS file that is at fault.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(const Options& options, Cluster& cluster,
                                                          RuntimeDriver& driver,
                                                          const TokenIssuer& tokens);
  // Ends all calls: those that have not ended by themselves within a moment are cancelled.
  virtual ~RpcServer() = default;

  // Where it listens, with the port that the system chose where 0 was asked for.
  virtual std::string public_address() const = 0;
};

}  // namespace gocomet::controlplane
