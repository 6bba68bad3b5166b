#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gocomet::controlplane {

// `IP:PORT` at which a worker that listens on `bind_address` is reached from this machine: loopback
// where it listens on every address.
std::string ReachableAddress(std::string_view bind_address, uint16_t port);

// What balancers connect to: `unix:PATH` where the path fits a socket's address, else `fallback`.
std::string BalancerAddress(const std::string& socket_path, const std::string& fallback);

// Whether this machine has the IP address: then it reaches what is on that network too.
bool IsOurAddress(const std::string& ip);

// Whether `path` fits a Unix socket's address.
bool FitsUnixSocket(const std::string& path);

// 12 lower-case hex digits: what instances and ids look like.
bool IsInstance(std::string_view text);

}  // namespace gocomet::controlplane
