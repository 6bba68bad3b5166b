#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <event2/event.h>

#include "common/base/address.h"
#include "common/base/unique_fd.h"
#include "dataplane/handover/channel.h"
#include "dataplane/shard/event_loop.h"

namespace gocomet::dataplane {

// How long a predecessor waits for each word of its successor.
struct PredecessorPatience {
  std::chrono::milliseconds for_request{2000};
  std::chrono::milliseconds for_serving{15'000};  // From the descriptors on.
};

// Where a serving balancer waits for its successor. One at a time; until that one has said that it
// serves, nothing changes here, whatever it says, does or leaves undone. Belongs to the thread of
// `loop`.
class Predecessor {
 public:
  struct Hooks {
    // The sockets to hand over, as they are now; empty where there are none.
    std::function<std::vector<int>()> listening;
    // A successor serves. The door is closed by then, and its path belongs to the successor.
    std::function<void(pid_t successor)> succeeded;
    std::function<void(const std::string&)> say;
  };
  // `door` listens at `path`, for successors that listen on the port of `listen`, on whatever
  // address; where `listen` is a Unix socket, on just that.
  Predecessor(EventLoop& loop, UniqueFd door, Address path, Address listen, Hooks hooks,
              PredecessorPatience patience = {});
  // Closes the door. Its path is removed unless a successor has it, or may have it soon.
  ~Predecessor();
  Predecessor(const Predecessor&) = delete;
  Predecessor& operator=(const Predecessor&) = delete;

 private:
  struct Visit {
    HandoverChannel channel;
    pid_t pid = 0;
    event* readable = nullptr;
    bool has_descriptors = false;
  };

  static void OnKnock(evutil_socket_t fd, short what, void* self);
  static void OnMessage(evutil_socket_t fd, short what, void* self);
  static void OnTime(evutil_socket_t fd, short what, void* self);

  void Admit(HandoverChannel channel);
  void ReadVisitor();
  void Answer(const HandoverChannel::Received& received);
  void GiveListeners(const std::string& wanted_address);
  void HandOver();
  // Tells the visitor and the log why, and waits for the next one.
  void Refuse(const std::string& reason);
  void EndVisit();
  void SetDeadline(std::chrono::milliseconds from_now);

  EventLoop& loop_;
  UniqueFd door_;
  const Address path_;
  const Address listen_;
  const Hooks hooks_;
  const PredecessorPatience patience_;
  event* knock_;
  event* timer_;
  std::optional<Visit> visit_;
  bool handed_over_ = false;
};

}  // namespace gocomet::dataplane
