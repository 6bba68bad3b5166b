#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace gocomet::ctl {

// Where the control plane is, as people write it and as gRPC wants it.
struct ServerAddress {
  // `IP:PORT`, `[IPv6]:PORT`, `host:port` or `unix:/path`. INVALID_ARGUMENT names the text and the
  // forms that were expected. Resolves nothing.
  static absl::StatusOr<ServerAddress> Parse(std::string_view text);

  std::string text;    // As given.
  std::string target;  // gRPC's name of it.
  // On this machine: a Unix socket, a loopback address or `localhost`.
  bool is_local = false;
  uint16_t port = 0;  // 0 for a Unix socket.
};

}  // namespace gocomet::ctl
