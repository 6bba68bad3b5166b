#include "tests/dataplane/loopback.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace gocomet::dataplane {
namespace {

bool Wait(int fd, short what, std::chrono::milliseconds time) {
  pollfd one{fd, what, 0};
  return ::poll(&one, 1, static_cast<int>(time.count())) == 1;
}

Address BoundAddress(int fd) {
  sockaddr_in in{};
  socklen_t length = sizeof(in);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&in), &length);
  return *Address::FromIpAndPort("127.0.0.1", ntohs(in.sin_port));
}

}  // namespace

// What a test sends in two parts arrives in two parts, at once.
Peer::Peer(UniqueFd fd) : fd_(std::move(fd)) {
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Peer Peer::ConnectTo(const Address& address) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.socket_address(), address.socket_address_length()) != 0) {
    ADD_FAILURE() << "connect to " << address.ToString() << ": " << std::strerror(errno);
    return Peer();
  }
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return Peer(std::move(fd));
}

void Peer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    bytes.remove_prefix(SendWhatFits(bytes));
    if (!bytes.empty() && !Wait(fd(), POLLOUT, kPatience)) {
      ADD_FAILURE() << bytes.size() << " bytes could not be sent in time";
      return;
    }
  }
}

size_t Peer::SendWhatFits(std::string_view bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return sent;
    if (n < 0) return bytes.size();  // The other side is gone, as some tests want it.
    sent += static_cast<size_t>(n);
  }
  return sent;
}

int Peer::Fill(std::chrono::milliseconds patience) {
  if (!Wait(fd(), POLLIN, patience)) return -1;
  char bytes[64 * 1024];
  const ssize_t n = ::recv(fd(), bytes, sizeof(bytes), 0);
  if (n <= 0) return n == 0 ? 0 : -1;
  unread_.append(bytes, static_cast<size_t>(n));
  return 1;
}

std::string Peer::ReadUntil(std::string_view text) {
  size_t at = std::string::npos;
  while ((at = unread_.find(text)) == std::string::npos) {
    if (Fill(kPatience) != 1) {
      ADD_FAILURE() << "waited for \"" << text << "\" and only read \"" << unread_ << '"';
      return std::exchange(unread_, {});
    }
  }
  std::string read = unread_.substr(0, at + text.size());
  unread_.erase(0, read.size());
  return read;
}

std::string Peer::ReadExactly(size_t bytes) {
  while (unread_.size() < bytes) {
    if (Fill(kPatience) != 1) {
      ADD_FAILURE() << "only " << unread_.size() << " of " << bytes << " bytes came";
      break;
    }
  }
  std::string read = unread_.substr(0, bytes);
  unread_.erase(0, read.size());
  return read;
}

std::string Peer::ReadToEnd() {
  int result = 1;
  while ((result = Fill(kPatience)) == 1) {
  }
  if (result != 0) ADD_FAILURE() << "no orderly end after \"" << unread_.substr(0, 300) << '"';
  return std::exchange(unread_, {});
}

bool Peer::Ends() {
  while (Wait(fd(), POLLIN, kPatience)) {
    char bytes[64 * 1024];
    if (::recv(fd(), bytes, sizeof(bytes), 0) <= 0) return true;
  }
  return false;
}

bool Peer::IsSilentFor(std::chrono::milliseconds time) {
  return unread_.empty() && !Wait(fd(), POLLIN, time);
}

void Peer::ShutdownWrite() { ::shutdown(fd(), SHUT_WR); }

void Peer::CloseWithReset() {
  const linger at_once{1, 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  Close();
}

Door::Door() { Open(*Address::FromIpAndPort("127.0.0.1", 0)); }

Door::Door(const std::string& path) : path_(path) {
  ::unlink(path.c_str());  // Of a process that was killed and had the same number.
  Open(*Address::Parse("unix:" + path));
}

Door::~Door() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void Door::Open(const Address& address) {
  fd_.Reset(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool open =
      ::bind(fd_.get(), address.socket_address(), address.socket_address_length()) == 0 &&
      ::listen(fd_.get(), 128) == 0;
  EXPECT_TRUE(open) << "listen on " << address.ToString() << ": " << std::strerror(errno);
  address_ = address.is_unix() ? address : BoundAddress(fd_.get());
}

Peer Door::Accept() {
  if (!Wait(fd_.get(), POLLIN, kPatience)) {
    ADD_FAILURE() << "nobody connected to " << address_.ToString();
    return Peer();
  }
  return Peer(UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)));
}

bool Door::NobodyKnocksFor(std::chrono::milliseconds time) {
  return !Wait(fd_.get(), POLLIN, time);
}

Address RefusingAddress() {
  // Bound and not listening: nobody else gets it while the process lives.
  static std::vector<UniqueFd>* const kept = new std::vector<UniqueFd>;
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address any = *Address::FromIpAndPort("127.0.0.1", 0);
  EXPECT_EQ(::bind(fd.get(), any.socket_address(), any.socket_address_length()), 0);
  const Address bound = BoundAddress(fd.get());
  kept->push_back(std::move(fd));
  return bound;
}

Address FreeAddress() {
  const Door door;
  return door.address();
}

}  // namespace gocomet::dataplane
