#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gocomet {

// How durations fall into buckets: log-linear, as in G. Tene's HdrHistogram. Each power of two of
// nanoseconds has 64 buckets of equal width, so that a bucket's middle is within 1/128 of whatever
// fell into it; below 1.024 µs all are 16 ns wide. Pure.
namespace histogram_buckets {

inline constexpr std::chrono::nanoseconds kMax = std::chrono::seconds(60);
inline constexpr unsigned kPartsBits = 6;
inline constexpr uint64_t kParts = uint64_t{1} << kPartsBits;
inline constexpr unsigned kLinearShift = 4;
inline constexpr uint64_t kLinearBelow = kParts << kLinearShift;

constexpr size_t IndexOf(uint64_t nanoseconds) {
  if (nanoseconds < kLinearBelow) return nanoseconds >> kLinearShift;
  const unsigned shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - kPartsBits;
  return (uint64_t{shift - kLinearShift} << kPartsBits) + (nanoseconds >> shift);
}
// The first value that falls into it, and the first one after those.
constexpr uint64_t BeginOf(size_t index) {
  if (index < kParts) return index << kLinearShift;
  return ((index % kParts) + kParts) << (index / kParts - 1 + kLinearShift);
}
constexpr uint64_t EndOf(size_t index) { return BeginOf(index + 1); }

inline constexpr size_t kCount = IndexOf(static_cast<uint64_t>(kMax.count())) + 1;

// What stands for whatever fell into it; kMax for the last, which holds what was longer, too.
constexpr std::chrono::nanoseconds ValueOf(size_t index) {
  if (index + 1 == kCount) return kMax;
  return std::chrono::nanoseconds(BeginOf(index) + (EndOf(index) - BeginOf(index)) / 2);
}

// Of how many, from 1, the value at `share` (0 to 1) is; `count` of all of them, at least one.
uint64_t RankOf(double share, uint64_t count);

}  // namespace histogram_buckets

// How often durations came, as a value. Those of several histograms add up exactly: the sum is what
// one histogram would hold that had seen all of them.
class DurationCounts {
 public:
  void Add(const DurationCounts& other);
  uint64_t count() const { return count_; }
  // Of those that were longer than kMax, and count as that long.
  uint64_t clamped() const { return clamped_; }
  // Exact, of what was recorded and not of buckets; 0 where nothing was.
  std::chrono::nanoseconds mean() const;
  // The least duration that at least `share` (0 to 1) of all do not exceed: within 1 % of it, or
  // within 8 ns where it is shorter than 1 µs. At least kMax where it was clamped; 0 where nothing
  // was recorded.
  std::chrono::nanoseconds Quantile(double share) const;
  uint64_t sum_nanoseconds() const { return sum_; }
  uint64_t in_bucket(size_t index) const { return counts_[index]; }

  friend bool operator==(const DurationCounts&, const DurationCounts&) = default;

 private:
  friend class Histogram;

  std::array<uint64_t, histogram_buckets::kCount> counts_{};
  uint64_t count_ = 0;
  uint64_t clamped_ = 0;
  uint64_t sum_ = 0;  // Nanoseconds.
};

// Counts durations while they come. One thread records; any may read meanwhile, and sees each
// duration at once or not yet. 14 KiB, and no allocation.
class Histogram {
 public:
  // A negative duration counts as 0.
  void Record(std::chrono::nanoseconds duration) {
    const auto nanoseconds = static_cast<uint64_t>(std::max<int64_t>(0, duration.count()));
    constexpr auto kMax = static_cast<uint64_t>(histogram_buckets::kMax.count());
    if (nanoseconds > kMax) [[unlikely]]
      Increase(clamped_, 1);
    Increase(sum_, nanoseconds);
    Increase(counts_[histogram_buckets::IndexOf(std::min(nanoseconds, kMax))], 1);
  }

  // Adds what was recorded so far to `sum`.
  void AddTo(DurationCounts& sum) const;

 private:
  // With one writer nothing is lost between the two, and no bus is locked.
  static void Increase(std::atomic<uint64_t>& number, uint64_t by) {
    number.store(number.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, histogram_buckets::kCount> counts_{};
  std::atomic<uint64_t> clamped_{0};
  std::atomic<uint64_t> sum_{0};
};

}  // namespace gocomet
