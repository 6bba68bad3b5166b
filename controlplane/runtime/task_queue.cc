#include "controlplane/runtime/task_queue.h"

#include <utility>

namespace gocomet::controlplane {

TaskQueue::TaskQueue(int threads, size_t waiting_max) : waiting_max_(waiting_max) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

bool TaskQueue::TryPost(Task task) {
  const std::lock_guard hold(mutex_);
  if (draining_ || waiting_.size() >= waiting_max_) return false;
  waiting_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

void TaskQueue::Post(Task task) {
  const std::lock_guard hold(mutex_);
  waiting_.push_back(std::move(task));
  changed_.notify_one();
}

void TaskQueue::PostAt(SteadyTime time, Task task) {
  const std::lock_guard hold(mutex_);
  delayed_.emplace(time, std::move(task));
  changed_.notify_one();
}

bool TaskQueue::draining() const {
  const std::lock_guard hold(mutex_);
  return draining_;
}

void TaskQueue::Drain() {
  {
    const std::lock_guard hold(mutex_);
    draining_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void TaskQueue::Run() {
  std::unique_lock hold(mutex_);
  while (true) {
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!delayed_.empty() && (draining_ || delayed_.begin()->first <= now)) {
      waiting_.push_back(std::move(delayed_.begin()->second));
      delayed_.erase(delayed_.begin());
    }
    if (!waiting_.empty()) {
      Task task = std::move(waiting_.front());
      waiting_.pop_front();
      ++running_;
      hold.unlock();
      task();
      task = nullptr;  // What it owns may post while it is destroyed.
      hold.lock();
      --running_;
      if (draining_) changed_.notify_all();
    } else if (draining_ && running_ == 0) {
      return;
    } else if (delayed_.empty()) {
      changed_.wait(hold);
    } else {
      const SteadyTime next = delayed_.begin()->first;
      changed_.wait_until(hold, next);
    }
  }
}

}  // namespace gocomet::controlplane
