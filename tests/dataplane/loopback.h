#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "common/base/address.h"
#include "common/base/unique_fd.h"

// Peers that a test plays by hand, on either side of a balancer: blocking calls with a deadline, so
// that what does not come fails the test and never hangs it.
namespace gocomet::dataplane {

inline constexpr std::chrono::milliseconds kPatience{5000};

// One end of a connection.
class Peer {
 public:
  Peer() = default;
  explicit Peer(UniqueFd fd);
  // Fails the test where nobody takes the connection.
  static Peer ConnectTo(const Address& address);

  bool valid() const { return fd_.valid(); }
  int fd() const { return fd_.get(); }
  // Everything, or a failure.
  void Send(std::string_view bytes);
  // What can be written without waiting for the other side; how much that was.
  size_t SendWhatFits(std::string_view bytes);
  // Reads until what came ends with, or holds, `text`; gives everything that was read and not yet
  // given. Fails the test at the end of the connection or of the patience.
  std::string ReadUntil(std::string_view text);
  std::string ReadHead() { return ReadUntil("\r\n\r\n"); }
  std::string ReadExactly(size_t bytes);
  // Until the other side ends the connection.
  std::string ReadToEnd();
  // Whether the other side ends it, by FIN or RST, within the patience; drops what comes before.
  bool Ends();
  // Nothing comes for as long.
  bool IsSilentFor(std::chrono::milliseconds time);
  void ShutdownWrite();
  void Close() { fd_.Reset(); }
  void CloseWithReset();

 private:
  // 1 where something came, 0 at the end, -1 at an error or without patience.
  int Fill(std::chrono::milliseconds patience);

  UniqueFd fd_;
  std::string unread_;
};

// Where a test waits for connections.
class Door {
 public:
  // An ephemeral port on 127.0.0.1.
  Door();
  // A Unix socket.
  explicit Door(const std::string& path);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  const Address& address() const { return address_; }
  int fd() const { return fd_.get(); }
  // The next connection; fails the test where none comes.
  Peer Accept();
  bool NobodyKnocksFor(std::chrono::milliseconds time);
  // Connections are refused from now on.
  void Close() { fd_.Reset(); }

 private:
  void Open(const Address& address);

  UniqueFd fd_;
  std::string path_;  // Of a Unix socket.
  Address address_;
};

// An address on 127.0.0.1 that refuses connections.
Address RefusingAddress();
// One that was free a moment ago, for those who listen by themselves.
Address FreeAddress();

// Waits until `condition` holds; false after the patience.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace gocomet::dataplane
