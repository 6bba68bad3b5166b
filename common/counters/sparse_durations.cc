#include "common/counters/sparse_durations.h"

#include <utility>

namespace gocomet {

SparseDurations::SparseDurations(const DurationCounts& counts)
    : count_(counts.count()), sum_(counts.sum_nanoseconds()) {
  for (size_t i = 0; i < histogram_buckets::kCount; ++i) {
    if (const uint64_t count = counts.in_bucket(i); count > 0) {
      buckets_.push_back({static_cast<uint32_t>(i), count});
    }
  }
}

std::optional<SparseDurations> SparseDurations::Make(std::vector<Bucket> buckets,
                                                     uint64_t sum_nanoseconds) {
  SparseDurations made;
  for (size_t i = 0; i < buckets.size(); ++i) {
    const Bucket& bucket = buckets[i];
    const bool ascends = i == 0 || bucket.index > buckets[i - 1].index;
    if (!ascends || bucket.count == 0 || bucket.index >= histogram_buckets::kCount) return {};
    made.count_ += bucket.count;
  }
  made.buckets_ = std::move(buckets);
  made.sum_ = sum_nanoseconds;
  return made;
}

void SparseDurations::Add(const SparseDurations& other) {
  std::vector<Bucket> merged;
  merged.reserve(buckets_.size() + other.buckets_.size());
  auto ours = buckets_.begin();
  for (const Bucket& theirs : other.buckets_) {
    while (ours != buckets_.end() && ours->index < theirs.index) merged.push_back(*ours++);
    merged.push_back(theirs);
    if (ours != buckets_.end() && ours->index == theirs.index) merged.back().count += ours++->count;
  }
  merged.insert(merged.end(), ours, buckets_.end());
  buckets_ = std::move(merged);
  count_ += other.count_;
  sum_ += other.sum_;
}

std::optional<SparseDurations> SparseDurations::Since(const SparseDurations& before) const {
  SparseDurations since;
  auto old = before.buckets_.begin();
  for (const Bucket& bucket : buckets_) {
    uint64_t count = bucket.count;
    if (old != before.buckets_.end() && old->index == bucket.index) {
      if (old->count > count) return {};
      count -= old++->count;
    }
    if (count > 0) since.buckets_.push_back({bucket.index, count});
  }
  if (old != before.buckets_.end() || before.sum_ > sum_) return {};
  since.count_ = count_ - before.count_;
  since.sum_ = sum_ - before.sum_;
  return since;
}

std::chrono::nanoseconds SparseDurations::mean() const {
  return std::chrono::nanoseconds(count_ == 0 ? 0 : sum_ / count_);
}

std::chrono::nanoseconds SparseDurations::Quantile(double share) const {
  if (count_ == 0) return std::chrono::nanoseconds(0);
  const uint64_t rank = histogram_buckets::RankOf(share, count_);
  uint64_t seen = 0;
  size_t place = 0;
  while ((seen += buckets_[place].count) < rank) ++place;
  return histogram_buckets::ValueOf(buckets_[place].index);
}

}  // namespace gocomet
