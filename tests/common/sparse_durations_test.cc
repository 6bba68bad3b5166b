#include "common/counters/sparse_durations.h"

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace gocomet {
namespace {

using std::chrono::nanoseconds;

// The same durations in both forms.
struct Both {
  DurationCounts dense;
  SparseDurations sparse;
};

Both Record(std::mt19937_64& random, int count) {
  Histogram histogram;
  std::lognormal_distribution<double> durations(13, 3);
  for (int i = 0; i < count; ++i) {
    histogram.Record(nanoseconds(static_cast<int64_t>(durations(random))));
  }
  Both both;
  histogram.AddTo(both.dense);
  both.sparse = SparseDurations(both.dense);
  return both;
}

TEST(SparseDurations, SayWhatTheDenseFormSays) {
  std::mt19937_64 random(1);
  for (const int count : {0, 1, 2, 100, 10'000}) {
    const auto [dense, sparse] = Record(random, count);
    EXPECT_EQ(sparse.count(), dense.count());
    EXPECT_EQ(sparse.mean(), dense.mean());
    for (const double share : {0.0, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      EXPECT_EQ(sparse.Quantile(share), dense.Quantile(share)) << count << " at " << share;
    }
  }
}

TEST(SparseDurations, AddUpExactly) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 20; ++round) {
    Both a = Record(random, 1 + round * 10);
    const Both b = Record(random, 200);
    a.dense.Add(b.dense);
    a.sparse.Add(b.sparse);
    EXPECT_EQ(a.sparse, SparseDurations(a.dense));
  }
}

TEST(SparseDurations, TellWhatCameSince) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20; ++round) {
    const Both before = Record(random, round * 10);
    const Both later = Record(random, 100);
    SparseDurations now = before.sparse;
    now.Add(later.sparse);
    const auto since = now.Since(before.sparse);
    ASSERT_TRUE(since);
    EXPECT_EQ(*since, later.sparse);
  }
}

TEST(SparseDurations, ThatAreLaterAreNoEarlierOnes) {
  const auto now = *SparseDurations::Make({{5, 2}}, 100);
  EXPECT_FALSE(now.Since(*SparseDurations::Make({{5, 3}}, 100)));
  EXPECT_FALSE(now.Since(*SparseDurations::Make({{4, 1}, {5, 1}}, 50)));
  EXPECT_FALSE(now.Since(*SparseDurations::Make({{6, 1}}, 50)));
  EXPECT_FALSE(now.Since(*SparseDurations::Make({{5, 2}}, 101)));
}

TEST(SparseDurations, AreMadeOfAscendingBucketsAlone) {
  constexpr auto kEnd = static_cast<uint32_t>(histogram_buckets::kCount);
  EXPECT_TRUE(SparseDurations::Make({}, 0));
  EXPECT_TRUE(SparseDurations::Make({{0, 1}, {kEnd - 1, 1}}, 0));
  EXPECT_FALSE(SparseDurations::Make({{1, 1}, {1, 1}}, 0));
  EXPECT_FALSE(SparseDurations::Make({{2, 1}, {1, 1}}, 0));
  EXPECT_FALSE(SparseDurations::Make({{1, 0}}, 0));
  EXPECT_FALSE(SparseDurations::Make({{kEnd, 1}}, 0));
}

}  // namespace
}  // namespace gocomet
