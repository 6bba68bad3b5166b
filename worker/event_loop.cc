#include "worker/event_loop.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include "common/base/text.h"

namespace gocomet::worker {
namespace {

struct FreeConfig {
  void operator()(event_config* config) const { event_config_free(config); }
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  UniqueFd wakeup(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wakeup.valid()) return absl::ErrnoToStatus(errno, "cannot create an eventfd");
  const std::unique_ptr<event_config, FreeConfig> config(event_config_new());
  // libevent's defaults, a coarse clock read once per turn of the loop, let timers fire up to some
  // milliseconds early.
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME |
                                          EVENT_BASE_FLAG_PRECISE_TIMER);
  event_base* base = event_base_new_with_config(config.get());
  if (base == nullptr) return absl::ResourceExhaustedError("cannot create an event loop");
  return std::unique_ptr<EventLoop>(new EventLoop(base, std::move(wakeup)));
}

EventLoop::EventLoop(event_base* base, UniqueFd wakeup) : base_(base), wakeup_(std::move(wakeup)) {
  wakeup_event_.reset(event_new(
      base, wakeup_.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<EventLoop*>(self)->RunPosted(); },
      this));
  event_add(wakeup_event_.get(), nullptr);
}

void EventLoop::Post(std::function<void()> task) {
  bool first = false;
  {
    const std::lock_guard hold(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) eventfd_write(wakeup_.get(), 1);
}

void EventLoop::RunPosted() {
  eventfd_t count = 0;
  eventfd_read(wakeup_.get(), &count);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard hold(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

void EventLoop::Run() { event_base_dispatch(base_.get()); }

void EventLoop::Stop() { event_base_loopbreak(base_.get()); }

Timer::Timer(const EventLoop& loop, std::function<void()> function)
    : event_(evtimer_new(
          loop.base(),
          [](evutil_socket_t, short, void* self) { static_cast<Timer*>(self)->function_(); },
          this)),
      function_(std::move(function)) {}

Timer::~Timer() { event_free(event_); }

void Timer::Start(std::chrono::microseconds delay) {
  const timeval wait{.tv_sec = delay.count() / 1'000'000, .tv_usec = delay.count() % 1'000'000};
  evtimer_add(event_, &wait);
}

void Timer::Cancel() { evtimer_del(event_); }

}  // namespace gocomet::worker
