#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace gocomet::controlplane {

// Blocks the signals that the program handles, for this thread and all that it starts later; those
// of a broken pipe are ignored. Call it before any thread is started.
void BlockSignals();

// Waits for signals on a thread of its own and hands each one on. The thread also does what is to
// be done each second.
class SignalThread {
 public:
  SignalThread(std::function<void(int signal)> on_signal, std::function<void()> each_second);
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace gocomet::controlplane
