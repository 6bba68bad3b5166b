#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include <event2/event.h>

#include "common/base/unique_fd.h"

namespace gocomet::dataplane {

// One libevent loop, run by one thread, and the one way into it from others. Post and Stop may be
// called from any thread, everything else from the loop's own.
class EventLoop {
 public:
  using Task = std::function<void()>;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  event_base* base() { return base_; }
  // Until Stop.
  void Run();
  void Stop();
  // Runs `task` on the loop's thread. One wake-up per burst, not per task.
  void Post(Task task);

 private:
  static void OnWake(evutil_socket_t fd, short what, void* self);

  event_base* base_;
  UniqueFd wake_fd_;
  event* wake_event_;

  std::mutex mutex_;  // Guards inbox_.
  std::vector<Task> inbox_;
};

}  // namespace gocomet::dataplane
