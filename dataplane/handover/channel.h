#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/address.h"
#include "common/base/unique_fd.h"
#include "dataplane/handover/message.h"

namespace gocomet::dataplane {

// One end of a hand-over: a Unix socket that keeps messages whole (SOCK_SEQPACKET) and carries
// descriptors with them. Never blocks.
class HandoverChannel {
 public:
  struct Received {
    HandoverMessage message;
    std::vector<UniqueFd> descriptors;
  };

  HandoverChannel() = default;
  explicit HandoverChannel(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  absl::Status Send(const HandoverMessage& message, std::span<const int> descriptors = {});
  // The next message, or nothing where none has come yet. UNAVAILABLE: the other side is gone;
  // INVALID_ARGUMENT: it is no message, or is too long.
  absl::StatusOr<std::optional<Received>> Receive();
  // The same, but waits. DEADLINE_EXCEEDED: nothing came in time.
  absl::StatusOr<Received> ReceiveWithin(std::chrono::milliseconds patience);

  // The process at the other end. PERMISSION_DENIED where another user runs it.
  absl::StatusOr<pid_t> CheckPeer() const;

 private:
  UniqueFd fd_;
};

// Listens at the path of `address` for successors, readable and writable for this user alone. A
// socket that nobody listens on any more is replaced; anything else there is an error.
absl::StatusOr<UniqueFd> OpenHandoverDoor(const Address& address);

// From now on it is this process that CheckPeer names to those who come to a door that another one
// opened (SO_PEERCRED: who called listen).
void OwnHandoverDoor(const UniqueFd& door);

// A channel to whoever listens there; nothing where nobody does.
absl::StatusOr<std::optional<HandoverChannel>> KnockAtHandoverDoor(const Address& address);

}  // namespace gocomet::dataplane
