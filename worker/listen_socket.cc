#include "worker/listen_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::worker {
namespace {

// Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn.
constexpr int kBacklog = 4096;

absl::Status RemoveStaleUnixSocket(const Address& address) {
  const std::string path = address.host();
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return absl::OkStatus();
  if (!S_ISSOCK(status.st_mode)) {
    return absl::AlreadyExistsError(
        Cat("cannot listen on ", path,
            ": it exists and is not a socket; remove it or choose another path"));
  }
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int connected =
      ::connect(probe.get(), address.socket_address(), address.socket_address_length());
  if (connected == 0 || errno == EAGAIN) {
    return absl::AlreadyExistsError(
        Cat("cannot listen on ", path, ": another program does; stop it or choose another path"));
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno, Cat("cannot remove the stale socket ", path));
  }
  return absl::OkStatus();
}

absl::Status BindError(int error, const Address& address) {
  const std::string what = Cat("cannot listen on ", address.ToString());
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(
          Cat(what, ": another program does; stop it or choose another port"));
    case EADDRNOTAVAIL:
      return absl::InvalidArgumentError(
          Cat(what, ": this machine has no such address; choose one of its own or 0.0.0.0"));
    case EACCES:
      return absl::PermissionDeniedError(
          Cat(what, ": not permitted; choose a port above 1023 or a directory of your own"));
    default:
      return absl::ErrnoToStatus(error, what);
  }
}

void SetOption(const UniqueFd& socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket.get(), level, option, &on, sizeof(on));
}

}  // namespace

absl::StatusOr<UniqueFd> ListenOn(const Address& address) {
  UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return absl::ErrnoToStatus(errno, "cannot create a socket");
  if (address.is_unix()) {
    GOCOMET_RETURN_IF_ERROR(RemoveStaleUnixSocket(address));
  } else {
    SetOption(socket, SOL_SOCKET, SO_REUSEADDR);
    SetOption(socket, IPPROTO_TCP, TCP_NODELAY);  // Accepted connections inherit it.
  }
  if (::bind(socket.get(), address.socket_address(), address.socket_address_length()) != 0) {
    return BindError(errno, address);
  }
  if (address.is_unix() && ::chmod(address.host().c_str(), 0666) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot chmod ", address.host()));
  }
  if (::listen(socket.get(), kBacklog) != 0) return BindError(errno, address);
  return socket;
}

absl::StatusOr<Address> BoundAddress(const UniqueFd& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return absl::ErrnoToStatus(errno, "cannot read a socket's address");
  }
  switch (storage.ss_family) {
    case AF_INET: {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
      char text[INET_ADDRSTRLEN] = "";
      ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
      return Address::FromIpAndPort(text, ntohs(v4->sin_port));
    }
    case AF_INET6: {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
      char text[INET6_ADDRSTRLEN] = "";
      ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
      return Address::FromIpAndPort(text, ntohs(v6->sin6_port));
    }
    default:
      return Address::Parse(Cat("unix:", reinterpret_cast<const sockaddr_un*>(&storage)->sun_path));
  }
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace gocomet::worker
