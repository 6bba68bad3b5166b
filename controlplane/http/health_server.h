#pragma once

#include <functional>
#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// The control plane's HTTP address: GET /healthz (200 while it runs) and GET /readyz (200 once
// everything that is wanted is ready, 503 before). Neither takes a token: they say nothing else.
// One thread of its own.
class HealthServer {
 public:
  // `ready` is called on the server's thread and must not block. HTTPS where there are `tls` files,
  // whose paths are absolute. ALREADY_EXISTS names the address that is taken, INVALID_ARGUMENT the
  // file at fault.
  static absl::StatusOr<std::unique_ptr<HealthServer>> Start(const std::string& address,
                                                             const TlsFiles& tls,
                                                             std::function<bool()> ready);
  ~HealthServer();
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  // Where it listens, with the port that the system chose where 0 was asked for.
  std::string address() const;

 private:
  class Loop;
  explicit HealthServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace gocomet::controlplane
