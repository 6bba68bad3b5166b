#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace gocomet::controlplane {

// How many streams one listener serves at the same time. Any thread; must outlive its places.
class StreamLimit {
 public:
  explicit StreamLimit(int most) : most_(most) {}

  // A place that is free again when the last copy of it is gone. Null where all are taken.
  std::shared_ptr<void> Take() {
    if (open_.fetch_add(1) >= most_) {
      open_.fetch_sub(1);
      return nullptr;
    }
    return std::shared_ptr<void>(this, [this](void*) { open_.fetch_sub(1); });
  }

  int most() const { return most_; }

 private:
  const int most_;
  std::atomic<int> open_{0};
};

}  // namespace gocomet::controlplane
