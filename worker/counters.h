#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

namespace gocomet::worker {

// Cumulative numbers of one worker. Failed requests count in the total and in the durations.
struct RequestCounts {
  uint64_t successful = 0;
  uint64_t failed = 0;
  uint64_t duration_microseconds = 0;  // Sum over all of them.

  uint64_t total() const { return successful + failed; }
  bool operator==(const RequestCounts&) const = default;

  RequestCounts& operator+=(const RequestCounts& other) {
    successful += other.successful;
    failed += other.failed;
    duration_microseconds += other.duration_microseconds;
    return *this;
  }
  friend RequestCounts operator+(RequestCounts a, const RequestCounts& b) { return a += b; }
};

// The worker's own counts: one thread records, any thread reads. A reader sees a request wholly or
// not at all.
class Counters {
 public:
  void Record(bool successful, std::chrono::microseconds duration) {
    const std::lock_guard hold(mutex_);
    ++(successful ? counts_.successful : counts_.failed);
    counts_.duration_microseconds += static_cast<uint64_t>(duration.count());
  }

  RequestCounts Read() const {
    const std::lock_guard hold(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  RequestCounts counts_;
};

}  // namespace gocomet::worker
