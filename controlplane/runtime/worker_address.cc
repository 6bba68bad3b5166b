#include "controlplane/runtime/worker_address.h"

#include <algorithm>

#include "common/base/address.h"
#include "common/base/text.h"

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

bool FitsUnixSocket(const std::string& path) { return path.size() <= kUnixPathBytesMax; }

bool IsInstance(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace gocomet::controlplane
