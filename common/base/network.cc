#include "common/base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet {
namespace {

using Bytes = std::array<uint8_t, 16>;

// Whether the first `bits` of both are the same.
bool SamePrefix(const Bytes& a, const Bytes& b, int bits) {
  const auto whole = static_cast<size_t>(bits / 8);
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const int rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

}  // namespace

absl::StatusOr<Networks::Network> Networks::ParseOne(std::string_view text) {
  const auto wrong = [&] {
    return absl::InvalidArgumentError(
        Cat("'", text, "': expected an IP address or a network such as 10.0.0.0/8"));
  };
  const size_t slash = text.find('/');
  const std::string ip(text.substr(0, slash));
  Network network;
  if (::inet_pton(AF_INET, ip.c_str(), network.bytes.data()) == 1) {
    network.family = AF_INET;
  } else if (::inet_pton(AF_INET6, ip.c_str(), network.bytes.data()) == 1) {
    network.family = AF_INET6;
  } else {
    return wrong();
  }
  const int bits_max = network.family == AF_INET ? 32 : 128;
  network.prefix_bits = bits_max;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, network.prefix_bits);
    if (error != std::errc() || stop != end || digits.empty()) return wrong();
    if (network.prefix_bits < 0 || network.prefix_bits > bits_max) return wrong();
  }
  Bytes prefix_only = network.bytes;
  for (int bit = network.prefix_bits; bit < bits_max; ++bit) {
    prefix_only[static_cast<size_t>(bit / 8)] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
  }
  if (prefix_only != network.bytes) {
    return absl::InvalidArgumentError(
        Cat("'", text, "': has bits set behind its first ", network.prefix_bits));
  }
  return network;
}

absl::StatusOr<Networks> Networks::Parse(std::string_view text) {
  Networks networks;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    GOCOMET_ASSIGN_OR_RETURN(const Network network, ParseOne(text.substr(0, comma)));
    networks.networks_.push_back(network);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return absl::InvalidArgumentError("nothing behind the last comma");
  }
  return networks;
}

Networks Networks::Loopback() { return *Parse("127.0.0.0/8,::1"); }

bool Networks::Contain(const sockaddr_storage& address) const {
  Bytes bytes{};
  int family = address.ss_family;
  if (family == AF_INET) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else if (family == AF_INET6) {
    const in6_addr& in6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    std::memcpy(bytes.data(), &in6, 16);
    if (IN6_IS_ADDR_V4MAPPED(&in6)) {
      family = AF_INET;
      std::copy(bytes.begin() + 12, bytes.end(), bytes.begin());
    }
  } else {
    return false;
  }
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return network.family == family && SamePrefix(network.bytes, bytes, network.prefix_bits);
  });
}

std::string Networks::ToString() const {
  std::string text;
  for (const Network& network : networks_) {
    char ip[INET6_ADDRSTRLEN];
    ::inet_ntop(network.family, network.bytes.data(), ip, sizeof(ip));
    const bool single = network.prefix_bits == (network.family == AF_INET ? 32 : 128);
    text += Cat(text.empty() ? "" : ",", ip, single ? "" : Cat("/", network.prefix_bits));
  }
  return text;
}

}  // namespace gocomet
