#include "dataplane/handover/listening_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "common/base/text.h"

namespace gocomet::dataplane {

absl::StatusOr<Address> ListeningAddressOf(const UniqueFd& fd) {
  int listens = 0;
  socklen_t length = sizeof(listens);
  sockaddr_storage bound{};
  socklen_t bound_length = sizeof(bound);
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || listens == 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &bound_length) != 0) {
    return absl::FailedPreconditionError("it does not listen");
  }
  char ip[INET6_ADDRSTRLEN] = "";
  if (bound.ss_family == AF_UNIX) {
    return Address::Parse(Cat("unix:", reinterpret_cast<const sockaddr_un&>(bound).sun_path));
  }
  if (bound.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(bound);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof(ip));
    return Address::FromIpAndPort(ip, ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(bound);
  ::inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof(ip));
  return Address::FromIpAndPort(ip, ntohs(v4.sin_port));
}

bool SharePort(const Address& a, const Address& b) {
  return a.is_unix() || b.is_unix() ? a == b : a.port() == b.port();
}

bool Covers(const Address& wide, const Address& narrow) {
  if (!SharePort(wide, narrow)) return false;
  return wide == narrow || wide.host() == "::" ||
         (wide.host() == "0.0.0.0" && narrow.family() == AF_INET);
}

}  // namespace gocomet::dataplane
