#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

// The two callbacks of one log stream, shared by the driver, which calls them, and the stream's
// owner, who ends it. After Cancel has returned nothing is called. Any thread.
class LogSubscription {
 public:
  LogSubscription(std::function<void(RuntimeLogLine)> line, std::function<void(absl::Status)> end)
      : line_(std::move(line)), end_(std::move(end)) {}

  void Line(RuntimeLogLine line) {
    const std::lock_guard hold(mutex_);
    if (!ended_) line_(std::move(line));
  }

  // Only the first is told.
  void End(const absl::Status& status) {
    const std::lock_guard hold(mutex_);
    if (!ended_.exchange(true)) end_(status);
  }

  // Waits for a running callback.
  void Cancel() {
    const std::lock_guard hold(mutex_);
    ended_ = true;
  }

  // Ended or cancelled: no more needs to be read for it.
  bool ended() const { return ended_; }

 private:
  std::mutex mutex_;  // Held while a callback runs.
  std::atomic<bool> ended_{false};
  const std::function<void(RuntimeLogLine)> line_;
  const std::function<void(absl::Status)> end_;
};

// Cancels the subscription at its end.
class SubscribedLogStream : public LogStream {
 public:
  explicit SubscribedLogStream(std::shared_ptr<LogSubscription> subscription)
      : subscription_(std::move(subscription)) {}
  ~SubscribedLogStream() override { subscription_->Cancel(); }

 private:
  const std::shared_ptr<LogSubscription> subscription_;
};

}  // namespace gocomet::controlplane
