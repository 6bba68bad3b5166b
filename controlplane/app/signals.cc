#include "controlplane/app/signals.h"

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <utility>

#include "common/base/clock.h"

namespace gocomet::controlplane {
namespace {

sigset_t Handled() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR2}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void BlockSignals() {
  const sigset_t handled = Handled();
  ::pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

SignalThread::SignalThread(std::function<void(int)> on_signal, std::function<void()> each_second)
    : thread_([this, on_signal = std::move(on_signal), each_second = std::move(each_second)] {
        ::pthread_setname_np(::pthread_self(), "signals");
        const sigset_t handled = Handled();
        const timespec patience{0, 100'000'000};  // To notice the end.
        SteadyTime next = SystemClock().Steady();
        while (!stopping_.load()) {
          const int signal = ::sigtimedwait(&handled, nullptr, &patience);
          if (signal > 0) on_signal(signal);
          const SteadyTime now = SystemClock().Steady();
          if (now < next) continue;
          next = now + std::chrono::seconds(1);
          each_second();
        }
      }) {}

SignalThread::~SignalThread() {
  stopping_.store(true);
  thread_.join();
}

}  // namespace gocomet::controlplane
