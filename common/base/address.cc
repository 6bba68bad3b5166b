#include "common/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet {
namespace {

absl::Status Malformed(std::string_view text) {
  return absl::InvalidArgumentError(
      Cat("'", text, "' is not an address: expected IP:PORT such as 127.0.0.1:7070, ",
          "[IPv6]:PORT, or unix:/absolute/path"));
}

}  // namespace

absl::StatusOr<Address> Address::FromIpAndPort(std::string_view ip, uint16_t port) {
  const std::string text(ip);
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage_);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length_ = sizeof(sockaddr_in);
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage_);
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length_ = sizeof(sockaddr_in6);
    return address;
  }
  return absl::InvalidArgumentError(Cat("'", ip, "' is not an IP address"));
}

absl::StatusOr<Address> Address::Parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.substr(0, kUnix.size()) == kUnix) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.empty() || path.front() != '/') return Malformed(text);
    if (path.size() > kUnixPathBytesMax) {
      return absl::InvalidArgumentError(Cat("the path of the Unix socket '", path, "' has ",
                                            path.size(), " bytes; at most ", kUnixPathBytesMax,
                                            " fit"));
    }
    Address address;
    auto* un = reinterpret_cast<sockaddr_un*>(&address.storage_);
    un->sun_family = AF_UNIX;
    std::memcpy(un->sun_path, path.data(), path.size());
    address.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Malformed(text);
  }
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return Malformed(text);
  }
  auto address = FromIpAndPort(host, port);
  if (!address.ok()) return Malformed(text);
  return address;
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  switch (storage_.ss_family) {
    case AF_INET:
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text,
                sizeof(text));
      return text;
    case AF_INET6:
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text,
                sizeof(text));
      return text;
    case AF_UNIX:
      return reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
    default:
      return "";
  }
}

uint16_t Address::port() const {
  switch (storage_.ss_family) {
    case AF_INET:
      return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
    case AF_INET6:
      return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    default:
      return 0;
  }
}

bool Address::is_loopback() const {
  switch (storage_.ss_family) {
    case AF_INET:
      return (ntohl(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr.s_addr) >> 24) == 127;
    case AF_INET6:
      return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr) !=
             0;
    default:
      return is_unix();
  }
}

std::string Address::ToString() const {
  switch (storage_.ss_family) {
    case AF_INET:
      return Cat(host(), ":", port());
    case AF_INET6:
      return Cat("[", host(), "]:", port());
    case AF_UNIX:
      return Cat("unix:", host());
    default:
      return "";
  }
}

absl::Status CheckAddressIsFree(const Address& address) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "socket");
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd.get(), address.socket_address(), address.socket_address_length()) != 0) {
    if (errno == EADDRINUSE) {
      return absl::AlreadyExistsError(Cat(address.ToString(), " is in use by another program"));
    }
    if (errno == EADDRNOTAVAIL) {
      return absl::NotFoundError(Cat(address.host(), " is not an address of this machine"));
    }
    return absl::ErrnoToStatus(errno, Cat("cannot bind ", address.ToString()));
  }
  return absl::OkStatus();
}

}  // namespace gocomet
