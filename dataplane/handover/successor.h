#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include <absl/status/statusor.h>
#include <event2/event.h>

#include "common/base/address.h"
#include "common/base/unique_fd.h"
#include "dataplane/handover/channel.h"
#include "dataplane/shard/event_loop.h"

namespace gocomet::dataplane {

inline constexpr std::chrono::milliseconds kSuccessorPatience{5000};

// What a balancer gets from the one that it replaces. The sockets are the same as the
// predecessor's, with the same queues: whoever accepts, no connection is lost.
struct Inheritance {
  HandoverChannel channel;
  pid_t predecessor = 0;
  UniqueFd door;  // Where the next successor knocks.
  // On the successor's own address.
  std::vector<UniqueFd> own;
  // On others that this one covers, such as 127.0.0.1 below 0.0.0.0: connections to them come here
  // alone as long as the sockets are there.
  std::vector<UniqueFd> covered;
  // On others that are no longer wanted. Who has connected to them already waits there.
  std::vector<UniqueFd> unwanted;
};

// Asks the balancer that waits at `path` for its sockets. `listen` is where the successor will
// listen: another address, but the same port. Blocks until it answers, at
// most `patience`. Nothing where nobody waits there. An error says why it refused, or what is wrong
// with what came; the predecessor goes on.
absl::StatusOr<std::optional<Inheritance>> Inherit(
    const Address& path, const Address& listen,
    std::chrono::milliseconds patience = kSuccessorPatience);

// From the inheritance to the predecessor's end. Belongs to the thread of `loop`.
class Succession {
 public:
  // `settled(OK)`: the predecessor accepts no more, or is gone, or hangs: the door is ours.
  // `settled(error)`: it has given us up before it heard us, and serves on: we must end.
  Succession(EventLoop& loop, HandoverChannel channel, std::function<void(absl::Status)> settled,
             std::chrono::milliseconds patience = kSuccessorPatience);
  ~Succession();
  Succession(const Succession&) = delete;
  Succession& operator=(const Succession&) = delete;

  // Says that we serve; to be called just before accepting, so that one that dies before it has
  // said so has accepted nobody. An error: we were given up already, and nothing may be accepted.
  absl::Status Announce();

 private:
  static void OnEvent(evutil_socket_t fd, short what, void* self);
  void Settle(absl::Status status);

  HandoverChannel channel_;
  const std::function<void(absl::Status)> settled_;
  const std::chrono::milliseconds patience_;
  event* readable_;
};

}  // namespace gocomet::dataplane
