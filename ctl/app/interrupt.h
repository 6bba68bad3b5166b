#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include "common/base/unique_fd.h"

namespace gocomet::ctl {

// While it lives, the first SIGINT or SIGTERM calls `on_signal` on a thread of its own instead of
// ending the program; a second one ends it at once with 128 + the signal. Make it before any other
// thread starts: the threads that follow inherit the blocked signals.
class Interrupt {
 public:
  explicit Interrupt(std::function<void()> on_signal);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // The signal that came; 0 where none did. Any thread.
  int signal() const { return signal_.load(); }

 private:
  void Listen();

  const std::function<void()> on_signal_;
  sigset_t mask_before_{};
  UniqueFd signals_;
  UniqueFd stop_;
  std::atomic<int> signal_{0};
  std::thread thread_;
};

}  // namespace gocomet::ctl
