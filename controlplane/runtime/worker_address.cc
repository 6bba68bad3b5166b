#include "controlplane/runtime/worker_address.h"

#include <sys/socket.h>

#include <algorithm>

#include "common/base/address.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet::controlplane {

std::string ReachableAddress(std::string_view bind_address, uint16_t port) {
  if (bind_address == "0.0.0.0") return Cat("127.0.0.1:", port);
  if (bind_address == "::") return Cat("[::1]:", port);
  const auto address = Address::FromIpAndPort(bind_address, port);
  return address.ok() ? address->ToString() : Cat(bind_address, ":", port);
}

std::string BalancerAddress(const std::string& socket_path, const std::string& fallback) {
  return FitsUnixSocket(socket_path) ? Cat("unix:", socket_path) : fallback;
}

bool IsOurAddress(const std::string& ip) {
  const auto address = Address::FromIpAndPort(ip, 0);
  if (!address.ok()) return false;
  const UniqueFd socket(::socket(address->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return ::bind(socket.get(), address->socket_address(), address->socket_address_length()) == 0;
}

bool FitsUnixSocket(const std::string& path) { return path.size() <= kUnixPathBytesMax; }

bool IsInstance(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace gocomet::controlplane
