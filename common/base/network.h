#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace gocomet {

// A set of IP addresses, named by networks: `10.0.0.0/8`, `::1`. A value.
class Networks {
 public:
  // Comma-separated; an address alone is a network of one. An empty text is the empty set.
  // INVALID_ARGUMENT names the part that is not a network, or has bits set behind its prefix.
  static absl::StatusOr<Networks> Parse(std::string_view text);
  // 127.0.0.0/8 and ::1.
  static Networks Loopback();

  // Addresses that are not IP are in no network. An IPv4 address in IPv6 clothes
  // (::ffff:192.0.2.1) counts as the IPv4 address that it is.
  bool Contain(const sockaddr_storage& address) const;

  // As Parse takes it.
  std::string ToString() const;

 private:
  struct Network {
    int family = AF_INET;
    std::array<uint8_t, 16> bytes{};
    int prefix_bits = 0;
  };
  static absl::StatusOr<Network> ParseOne(std::string_view text);

  std::vector<Network> networks_;
};

}  // namespace gocomet
