#include "dataplane/handover/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

constexpr int kBacklog = 8;
// The listeners and the door.
constexpr size_t kDescriptorsMax = kHandoverListenersMax + 1;
constexpr int kSocketType = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;

// Owned at once, so that none stays open whatever is wrong with the message.
std::vector<UniqueFd> TakeDescriptors(msghdr& message) {
  std::vector<UniqueFd> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

absl::Status HandoverChannel::Send(const HandoverMessage& message,
                                   std::span<const int> descriptors) {
  std::string bytes = EncodeHandover(message);
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptorsMax * sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  if (::sendmsg(fd_.get(), &header, MSG_NOSIGNAL) < 0) {
    return absl::ErrnoToStatus(errno, "cannot send a message of the hand-over");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<HandoverChannel::Received>> HandoverChannel::Receive() {
  char bytes[kHandoverMessageBytesMax];
  alignas(cmsghdr) char control[CMSG_SPACE(kDescriptorsMax * sizeof(int))];
  iovec part{bytes, sizeof(bytes)};
  msghdr header{};
  ssize_t got = -1;
  // A peer that closed without reading everything is told of by a reset, before its last message.
  for (int attempt = 0; attempt < 2; ++attempt) {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    got = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC);
    if (got >= 0 || (errno != ECONNRESET && errno != EINTR)) break;
  }
  if (got < 0 && errno == EAGAIN) return std::nullopt;
  if (got <= 0) return absl::UnavailableError("the other process ended the hand-over");
  Received received;
  received.descriptors = TakeDescriptors(header);
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    return absl::InvalidArgumentError("not a message of a hand-over: it is too long");
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0) {
    return absl::InvalidArgumentError(
        "the message of a hand-over came with more descriptors than can be taken");
  }
  GOCOMET_ASSIGN_OR_RETURN(received.message, DecodeHandover({bytes, static_cast<size_t>(got)}));
  return received;
}

absl::StatusOr<HandoverChannel::Received> HandoverChannel::ReceiveWithin(
    std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    GOCOMET_ASSIGN_OR_RETURN(std::optional<Received> received, Receive());
    if (received) return *std::move(received);
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return absl::DeadlineExceededError(Cat("no answer within ", patience.count(), " ms"));
    }
    pollfd wait{fd_.get(), POLLIN, 0};
    ::poll(&wait, 1, static_cast<int>(left.count()));
  }
}

absl::StatusOr<pid_t> HandoverChannel::CheckPeer() const {
  ucred peer{};
  socklen_t length = sizeof(peer);
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return absl::ErrnoToStatus(errno, "cannot tell whose process it is");
  }
  if (peer.uid != ::geteuid()) {
    return absl::PermissionDeniedError(Cat("process ", peer.pid, " belongs to user ", peer.uid,
                                           ", this balancer to user ", ::geteuid()));
  }
  return peer.pid;
}

absl::StatusOr<UniqueFd> OpenHandoverDoor(const Address& address) {
  const std::string path = address.host();
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) {
      return absl::AlreadyExistsError(
          Cat(path, " exists and is not a socket; it is left as it is"));
    }
    ::unlink(path.c_str());
  }
  UniqueFd fd(::socket(AF_UNIX, kSocketType, 0));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "socket");
  // The file comes into being with the mode of its socket, so that nobody else can ever connect.
  ::fchmod(fd.get(), 0600);
  if (::bind(fd.get(), address.socket_address(), address.socket_address_length()) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot listen at ", path));
  }
  return fd;
}

void OwnHandoverDoor(const UniqueFd& door) { ::listen(door.get(), kBacklog); }

absl::StatusOr<std::optional<HandoverChannel>> KnockAtHandoverDoor(const Address& address) {
  UniqueFd fd(::socket(AF_UNIX, kSocketType, 0));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "socket");
  if (::connect(fd.get(), address.socket_address(), address.socket_address_length()) == 0) {
    return HandoverChannel(std::move(fd));
  }
  if (errno == ENOENT || errno == ECONNREFUSED) return std::nullopt;
  if (errno == EAGAIN) return absl::UnavailableError("too many wait there already");
  if (errno == EPROTOTYPE) return absl::UnavailableError("something else listens there");
  return absl::ErrnoToStatus(errno, "cannot connect");
}

}  // namespace gocomet::dataplane
