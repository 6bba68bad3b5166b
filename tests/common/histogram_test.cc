#include "common/counters/histogram.h"

#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace gocomet {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

DurationCounts CountsOf(const Histogram& histogram) {
  DurationCounts counts;
  histogram.AddTo(counts);
  return counts;
}

// The least value that at least `share` of all do not exceed.
nanoseconds ExactQuantile(std::vector<nanoseconds> sorted, double share) {
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

// `count` durations between 1 µs and 60 s, each power of ten as likely as any other.
std::vector<nanoseconds> RandomDurations(uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(3, std::log10(60e9));
  std::vector<nanoseconds> durations;
  for (int i = 0; i < count; ++i) {
    durations.emplace_back(static_cast<int64_t>(std::pow(10, exponent(random))));
  }
  return durations;
}

TEST(HistogramBuckets, FollowEachOtherWithoutGaps) {
  for (size_t index = 0; index < histogram_buckets::kCount; ++index) {
    const uint64_t begin = histogram_buckets::BeginOf(index);
    const uint64_t end = histogram_buckets::EndOf(index);
    ASSERT_LT(begin, end);
    ASSERT_EQ(histogram_buckets::IndexOf(begin), index);
    ASSERT_EQ(histogram_buckets::IndexOf(end - 1), index);
    ASSERT_EQ(histogram_buckets::IndexOf(end), index + 1);
  }
}

TEST(HistogramBuckets, AreNarrowerThanAPercentToEitherSideOfTheirMiddle) {
  for (size_t index = histogram_buckets::IndexOf(1000); index < histogram_buckets::kCount;
       ++index) {
    const auto begin = static_cast<double>(histogram_buckets::BeginOf(index));
    const auto width = static_cast<double>(histogram_buckets::EndOf(index)) - begin;
    ASSERT_LE(width / 2 / begin, 0.01) << "from " << begin << " ns";
  }
}

TEST(Histogram, AnswersQuantilesWithinAPercentOfTheExactOnes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<nanoseconds> durations = RandomDurations(seed, 5000);
    Histogram histogram;
    for (const nanoseconds duration : durations) histogram.Record(duration);
    const DurationCounts counts = CountsOf(histogram);
    ASSERT_EQ(counts.count(), durations.size());
    for (const double share : {0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      const auto exact = static_cast<double>(ExactQuantile(durations, share).count());
      const auto answer = static_cast<double>(counts.Quantile(share).count());
      EXPECT_NEAR(answer, exact, exact * 0.01) << "of " << share << " with seed " << seed;
    }
  }
}

TEST(Histogram, HoldsOneDurationWithinAPercentWhateverItIs) {
  for (const nanoseconds duration : RandomDurations(7, 2000)) {
    Histogram histogram;
    histogram.Record(duration);
    const auto exact = static_cast<double>(duration.count());
    const auto answer = static_cast<double>(CountsOf(histogram).Quantile(0.5).count());
    ASSERT_NEAR(answer, exact, exact * 0.01);
  }
}

TEST(Histogram, KnowsDurationsBelowAMicrosecondToEightNanoseconds) {
  for (int64_t duration = 0; duration < 1000; ++duration) {
    Histogram histogram;
    histogram.Record(nanoseconds(duration));
    ASSERT_NEAR(static_cast<double>(CountsOf(histogram).Quantile(0.5).count()),
                static_cast<double>(duration), 8);
  }
}

TEST(Histogram, HasAnExactMean) {
  Histogram histogram;
  for (const int64_t each : {1, 2, 3, 1'000'006}) histogram.Record(nanoseconds(each));
  EXPECT_EQ(CountsOf(histogram).mean(), nanoseconds(250'003));
}

TEST(Histogram, CountsWhatIsTooLongAsTheLongestAndSaysHowOften) {
  Histogram histogram;
  histogram.Record(seconds(60));
  EXPECT_EQ(CountsOf(histogram).clamped(), 0u);
  histogram.Record(seconds(60) + nanoseconds(1));
  histogram.Record(std::chrono::hours(24));
  const DurationCounts counts = CountsOf(histogram);
  EXPECT_EQ(counts.count(), 3u);
  EXPECT_EQ(counts.clamped(), 2u);
  EXPECT_EQ(counts.Quantile(0.5), seconds(60));
}

TEST(Histogram, CountsANegativeDurationAsNone) {
  Histogram histogram;
  histogram.Record(nanoseconds(-5));
  EXPECT_EQ(CountsOf(histogram).count(), 1u);
  EXPECT_EQ(CountsOf(histogram).mean(), nanoseconds(0));
}

TEST(Histogram, AnswersNothingOfNothing) {
  const DurationCounts counts;
  EXPECT_EQ(counts.count(), 0u);
  EXPECT_EQ(counts.mean(), nanoseconds(0));
  EXPECT_EQ(counts.Quantile(0.5), nanoseconds(0));
}

TEST(Histogram, MergesToWhatOneAloneWouldHold) {
  const std::vector<nanoseconds> durations = RandomDurations(11, 9000);
  Histogram all;
  Histogram parts[3];
  for (size_t i = 0; i < durations.size(); ++i) {
    all.Record(durations[i]);
    parts[i % 3].Record(durations[i]);
  }
  all.Record(seconds(100));
  parts[1].Record(seconds(100));
  DurationCounts read_together;
  DurationCounts added;
  for (const Histogram& part : parts) {
    part.AddTo(read_together);
    added.Add(CountsOf(part));
  }
  EXPECT_TRUE(read_together == CountsOf(all));
  EXPECT_TRUE(added == CountsOf(all));
}

TEST(Histogram, MayBeReadWhileItRecords) {
  constexpr uint64_t kRecords = 200'000;
  Histogram histogram;
  std::thread writer([&histogram] {
    for (uint64_t i = 0; i < kRecords; ++i) histogram.Record(microseconds(1 + i % 100));
  });
  uint64_t before = 0;
  while (before < kRecords) {
    const uint64_t count = CountsOf(histogram).count();
    ASSERT_GE(count, before);
    before = count;
  }
  writer.join();
  EXPECT_EQ(CountsOf(histogram).count(), kRecords);
}

}  // namespace
}  // namespace gocomet
