#include "common/counters/histogram.h"

#include <cmath>

namespace gocomet {

uint64_t histogram_buckets::RankOf(double share, uint64_t count) {
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count));
  return std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count);
}

void DurationCounts::Add(const DurationCounts& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  clamped_ += other.clamped_;
  sum_ += other.sum_;
}

std::chrono::nanoseconds DurationCounts::mean() const {
  return std::chrono::nanoseconds(count_ == 0 ? 0 : sum_ / count_);
}

std::chrono::nanoseconds DurationCounts::Quantile(double share) const {
  if (count_ == 0) return std::chrono::nanoseconds(0);
  const uint64_t rank = histogram_buckets::RankOf(share, count_);
  uint64_t seen = 0;
  size_t index = 0;
  while ((seen += counts_[index]) < rank) ++index;
  return histogram_buckets::ValueOf(index);
}

void Histogram::AddTo(DurationCounts& sum) const {
  for (size_t i = 0; i < counts_.size(); ++i) {
    const uint64_t count = counts_[i].load(std::memory_order_relaxed);
    sum.counts_[i] += count;
    sum.count_ += count;
  }
  sum.clamped_ += clamped_.load(std::memory_order_relaxed);
  sum.sum_ += sum_.load(std::memory_order_relaxed);
}

}  // namespace gocomet
