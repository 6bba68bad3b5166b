#pragma once

#include <functional>
#include <mutex>

namespace gocomet::controlplane {

// The one watcher of a driver. Any thread; Set waits for a running call of the one before.
class ChangeWatcher {
 public:
  void Set(std::function<void()> changed) {
    const std::lock_guard hold(mutex_);
    changed_ = std::move(changed);
  }
  void Notify() {
    const std::lock_guard hold(mutex_);
    if (changed_) changed_();
  }

 private:
  std::mutex mutex_;  // Held while it is called.
  std::function<void()> changed_;
};

}  // namespace gocomet::controlplane
