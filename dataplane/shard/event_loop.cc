#include "dataplane/shard/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace gocomet::dataplane {

EventLoop::EventLoop() {
  // One thread only ever uses it, so libevent need not lock.
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
  base_ = event_base_new_with_config(config);
  event_config_free(config);
  wake_fd_.Reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  wake_event_ = event_new(base_, wake_fd_.get(), EV_READ | EV_PERSIST, &EventLoop::OnWake, this);
  event_add(wake_event_, nullptr);
}

EventLoop::~EventLoop() {
  event_free(wake_event_);
  event_base_free(base_);
}

void EventLoop::Run() { event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY); }

void EventLoop::Stop() {
  Post([this] { event_base_loopbreak(base_); });
}

void EventLoop::Post(Task task) {
  bool first = false;
  {
    const std::lock_guard hold(mutex_);
    inbox_.push_back(std::move(task));
    first = inbox_.size() == 1;
  }
  if (!first) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_.get(), &one, sizeof(one));
}

void EventLoop::OnWake(evutil_socket_t fd, short, void* self) {
  uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(fd, &rings, sizeof(rings));
  auto* loop = static_cast<EventLoop*>(self);
  std::vector<Task> burst;
  {
    const std::lock_guard hold(loop->mutex_);
    burst.swap(loop->inbox_);
  }
  for (Task& task : burst) {
    task();
    task = nullptr;
  }
}

}  // namespace gocomet::dataplane
