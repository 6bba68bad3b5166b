#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

// The admin's token of a control plane on this machine, for users who may read it.
namespace gocomet::ctl {

// The user ids of those who listen on the TCP port, from a table as /proc/net/tcp is one.
std::vector<uint32_t> ListenersOn(std::string_view proc_net_tcp, uint16_t port);

// The content of `token_file`, which whoever listens on the port has named. It is sent only to a
// listener that runs as the file's owner or as root: another user who took the port first must not
// be told it. PERMISSION_DENIED where that cannot be made sure of.
absl::StatusOr<std::string> ReadLocalToken(const std::string& token_file, uint16_t port);

}  // namespace gocomet::ctl
