#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <absl/status/statusor.h>
#include <event2/event.h>

#include "common/base/unique_fd.h"

namespace gocomet::worker {

// libevent's loop with an inbox. The thread that calls Run owns the loop; only Post may be called
// from other threads.
class EventLoop {
 public:
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  event_base* base() const { return base_.get(); }

  // Runs `task` on the loop's thread, in the order of the calls; also before Run. Tasks that are
  // still waiting when the loop is destroyed are dropped.
  void Post(std::function<void()> task);

  // Returns after Stop.
  void Run();
  void Stop();

 private:
  struct FreeBase {
    void operator()(event_base* base) const { event_base_free(base); }
  };
  struct FreeEvent {
    void operator()(event* e) const { event_free(e); }
  };

  EventLoop(event_base* base, UniqueFd wakeup);
  void RunPosted();

  const std::unique_ptr<event_base, FreeBase> base_;
  const UniqueFd wakeup_;  // An eventfd; libevent needs no locks for it.
  std::unique_ptr<event, FreeEvent> wakeup_event_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

// Calls a function once after a delay, on the loop's thread and never early. Belongs to that
// thread.
class Timer {
 public:
  Timer(const EventLoop& loop, std::function<void()> function);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Starts anew where it already runs.
  void Start(std::chrono::microseconds delay);
  void Cancel();

 private:
  event* const event_;
  const std::function<void()> function_;
};

}  // namespace gocomet::worker
