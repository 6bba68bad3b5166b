#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "common/base/unique_fd.h"

namespace gocomet {

// Where something listens: `IP:PORT` (IPv6 in brackets) or `unix:/absolute/path`. Holds numbers
// only; names are never resolved. A value: copy it freely.
class Address {
 public:
  // INVALID_ARGUMENT names the text and the form that was expected.
  static absl::StatusOr<Address> Parse(std::string_view text);
  static absl::StatusOr<Address> FromIpAndPort(std::string_view ip, uint16_t port);

  Address() = default;

  // As Parse takes it.
  std::string ToString() const;

  bool is_unix() const { return storage_.ss_family == AF_UNIX; }
  bool is_loopback() const;
  // 0 for Unix sockets.
  uint16_t port() const;
  // The IP in text without brackets; the path of a Unix socket.
  std::string host() const;

  const sockaddr* socket_address() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t socket_address_length() const { return length_; }
  int family() const { return storage_.ss_family; }

  friend bool operator==(const Address& a, const Address& b) {
    return a.ToString() == b.ToString();
  }

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

// The longest path that fits a Unix socket's address, without its terminating zero.
inline constexpr size_t kUnixPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

// Whether a TCP listener could be bound to `address` now. ALREADY_EXISTS where another program
// listens there, NOT_FOUND where this machine has no such IP, with the address in the message.
absl::Status CheckAddressIsFree(const Address& address);

}  // namespace gocomet
