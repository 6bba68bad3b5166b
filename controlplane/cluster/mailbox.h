#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "common/base/clock.h"

namespace gocomet::controlplane {

// Where everyone else leaves work for the thread that owns the cluster. Tasks run in the order in
// which they came. Bounded: requests are refused once `kRequestsMax` wait, so that a flood of calls
// cannot eat the memory; what the system itself reports (exits, answers of drivers) always fits,
// since those who send it are bounded themselves.
class Mailbox {
 public:
  using Task = std::function<void()>;

  // Any thread. A task posted after Close is dropped.
  void Post(Task task) {
    const std::lock_guard hold(mutex_);
    if (closed_) return;
    tasks_.push_back(std::move(task));
    arrived_.notify_one();
  }

  // Any thread. False where too many wait, or after Close: the task was not taken.
  bool PostRequest(Task task) {
    const std::lock_guard hold(mutex_);
    if (closed_ || tasks_.size() >= kRequestsMax) return false;
    tasks_.push_back(std::move(task));
    arrived_.notify_one();
    return true;
  }

  // The owner's thread: waits until there is work or `deadline` has come, and takes all there is.
  std::deque<Task> Take(SteadyTime deadline) {
    std::unique_lock hold(mutex_);
    arrived_.wait_until(hold, deadline, [this] { return !tasks_.empty(); });
    return std::exchange(tasks_, {});
  }

  // The same without waiting.
  std::deque<Task> TakeNow() {
    const std::lock_guard hold(mutex_);
    return std::exchange(tasks_, {});
  }

  // Any thread: nothing is taken any more, and what waits is dropped.
  void Close() {
    std::deque<Task> dropped;
    const std::lock_guard hold(mutex_);
    closed_ = true;
    dropped.swap(tasks_);
  }

  static constexpr size_t kRequestsMax = 10'000;

 private:
  std::mutex mutex_;  // Guards everything below.
  std::condition_variable arrived_;
  std::deque<Task> tasks_;
  bool closed_ = false;
};

}  // namespace gocomet::controlplane
