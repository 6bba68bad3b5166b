#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "common/base/clock.h"

namespace gocomet::controlplane {

// A few threads that run tasks in the order in which they came; one thread makes a serial queue.
// Every method may be called from any thread, Drain and the destructor from any but its own.
class TaskQueue {
 public:
  using Task = std::function<void()>;

  TaskQueue(int threads, size_t waiting_max);
  ~TaskQueue() { Drain(); }
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  // A request from outside: false where `waiting_max` tasks wait already, or after Drain.
  bool TryPost(Task task);

  // For what the system itself has to say; always runs, also while it drains.
  void Post(Task task);

  // Runs at `time`, or at once when the queue drains: such a task asks draining().
  void PostAt(SteadyTime time, Task task);
  void PostIn(std::chrono::milliseconds delay, Task task) {
    PostAt(std::chrono::steady_clock::now() + delay, std::move(task));
  }

  bool draining() const;

  // Takes no more requests, runs all that waits and all that this posts, and ends the threads.
  void Drain();

 private:
  void Run();

  const size_t waiting_max_;
  mutable std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::deque<Task> waiting_;
  std::multimap<SteadyTime, Task> delayed_;
  size_t running_ = 0;
  bool draining_ = false;
  std::vector<std::thread> threads_;  // Last: they use all of the above.
};

}  // namespace gocomet::controlplane
