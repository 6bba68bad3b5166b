#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <event2/event.h>

#include "common/base/unique_fd.h"
#include "dataplane/proxy/endpoint.h"
#include "dataplane/shard/timer_wheel.h"

namespace gocomet::dataplane {

class UpstreamPool;

// For connections within one host: a congestion control that paces (bbr) sets a timer for each
// burst, and there is nothing to be gentle with. Where it cannot be changed, nothing is lost.
void AvoidPacing(int fd);

// One connection to a worker, of one thread. Its descriptor is registered once, edge-triggered, for
// its whole life.
class Upstream {
 public:
  // Who uses it now. `what` is a sum of EV_READ, EV_WRITE and EV_CLOSED.
  class User {
   public:
    virtual void OnUpstreamEvent(short what) = 0;

   protected:
    ~User() = default;
  };

  // Begins to connect; null where that fails at once, with errno: ENOMEM where the loop cannot
  // watch one more.
  static std::unique_ptr<Upstream> Connect(event_base* base, const EndpointPointer& endpoint);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  int fd() const { return fd_.get(); }
  const EndpointPointer& endpoint() const { return endpoint_; }
  bool reused() const { return reused_; }
  // The connection came to be within Connect.
  bool connected_at_once() const { return connected_at_once_; }
  void set_user(User* user) { user_ = user; }
  // Nothing has come that nobody read, and no end.
  bool IsQuiet() const;
  // From now on it tells when it is writable again. False where it cannot.
  bool AwaitWritable();

 private:
  friend class UpstreamPool;
  Upstream(UniqueFd fd, EndpointPointer endpoint)
      : fd_(std::move(fd)), endpoint_(std::move(endpoint)) {}
  static void OnEvent(evutil_socket_t fd, short what, void* self);

  UniqueFd fd_;
  const EndpointPointer endpoint_;
  event* event_ = nullptr;
  event* write_event_ = nullptr;
  User* user_ = nullptr;
  UpstreamPool* pool_ = nullptr;  // Where it is idle.
  TimerWheel::Time idle_since_{};
  bool reused_ = false;
  bool connected_at_once_ = false;
};

// The idle connections of one thread. The one used last is used next, so that those that are not
// needed grow old and go.
class UpstreamPool {
 public:
  static constexpr size_t kIdlePerEndpointMax = 256;

  // Null where there is none to this endpoint.
  std::unique_ptr<Upstream> Take(const EndpointPointer& endpoint);
  // `now` is not before that of an earlier call.
  void Put(std::unique_ptr<Upstream> upstream, TimerWheel::Time now);
  // Closes those that are idle since `time` or longer; since when the others are, where there are
  // any.
  std::optional<TimerWheel::Time> CloseIdleSince(TimerWheel::Time time);
  // Closes all idle ones to this endpoint.
  void Drop(const Endpoint& endpoint);
  // Closes all idle ones to endpoints that `keep`, which is sorted, does not name.
  void KeepOnly(const std::vector<const Endpoint*>& keep);

 private:
  friend class Upstream;
  // An idle connection became readable: the worker closed it, or speaks out of turn.
  void OnIdleEvent(Upstream& upstream);

  // Those idle for longest are first. A list may be empty: requests take and put without any
  // allocation.
  std::map<const Endpoint*, std::vector<std::unique_ptr<Upstream>>> idle_;
};

}  // namespace gocomet::dataplane
