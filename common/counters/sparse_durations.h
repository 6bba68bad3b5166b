#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/counters/histogram.h"

namespace gocomet {

// How often durations came, as DurationCounts has it, but with only the buckets that hold any: a
// tenth of the memory for what one worker takes. Adds up and subtracts exactly. A value.
class SparseDurations {
 public:
  struct Bucket {
    uint32_t index = 0;  // As histogram_buckets counts them.
    uint64_t count = 0;
    bool operator==(const Bucket&) const = default;
  };

  SparseDurations() = default;
  explicit SparseDurations(const DurationCounts& counts);
  // None where the buckets are not ascending, or one is empty or does not exist.
  static std::optional<SparseDurations> Make(std::vector<Bucket> buckets, uint64_t sum_nanoseconds);

  void Add(const SparseDurations& other);
  // What came after `before`, which is of the same counts at an earlier time; none where it cannot
  // be.
  std::optional<SparseDurations> Since(const SparseDurations& before) const;

  const std::vector<Bucket>& buckets() const { return buckets_; }  // Ascending; none is empty.
  uint64_t sum_nanoseconds() const { return sum_; }
  uint64_t count() const { return count_; }
  // As those of DurationCounts.
  std::chrono::nanoseconds mean() const;
  std::chrono::nanoseconds Quantile(double share) const;

  bool operator==(const SparseDurations&) const = default;

 private:
  std::vector<Bucket> buckets_;
  uint64_t count_ = 0;
  uint64_t sum_ = 0;  // Nanoseconds.
};

}  // namespace gocomet
