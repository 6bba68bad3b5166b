#include "controlplane/access/token_bucket.h"

#include <gtest/gtest.h>

#include "controlplane/access/sparse_reports.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;

const SteadyTime kStart{std::chrono::hours(1)};

int TakeAll(TokenBucket& bucket, SteadyTime now) {
  int taken = 0;
  while (!bucket.Take(now)) ++taken;
  return taken;
}

TEST(TokenBucket, GivesTheBurstAtOnceAndNoMore) {
  TokenBucket bucket({.per_second = 10, .burst = 25}, kStart);
  EXPECT_EQ(TakeAll(bucket, kStart), 25);
  EXPECT_EQ(TakeAll(bucket, kStart), 0);
}

TEST(TokenBucket, FillsAtItsRate) {
  TokenBucket bucket({.per_second = 10, .burst = 25}, kStart);
  TakeAll(bucket, kStart);
  EXPECT_EQ(TakeAll(bucket, kStart + milliseconds(1000)), 10);
  EXPECT_EQ(TakeAll(bucket, kStart + milliseconds(1500)), 5);
}

TEST(TokenBucket, HoldsNoMoreThanTheBurst) {
  TokenBucket bucket({.per_second = 10, .burst = 25}, kStart);
  EXPECT_EQ(TakeAll(bucket, kStart + std::chrono::hours(24)), 25);
}

TEST(TokenBucket, SaysWhenToTryAgain) {
  TokenBucket bucket({.per_second = 10, .burst = 1}, kStart);
  EXPECT_FALSE(bucket.Take(kStart));
  EXPECT_EQ(bucket.Take(kStart), milliseconds(100));
  EXPECT_EQ(bucket.Take(kStart + milliseconds(40)), milliseconds(60));
  EXPECT_FALSE(bucket.Take(kStart + milliseconds(100)));
}

TEST(TokenBucket, TakesNoHarmFromATimeThatIsEarlier) {
  TokenBucket bucket({.per_second = 10, .burst = 2}, kStart);
  TakeAll(bucket, kStart);
  EXPECT_EQ(bucket.Take(kStart - milliseconds(500)), milliseconds(100));
  EXPECT_FALSE(bucket.Take(kStart + milliseconds(100)));
}

TEST(TokenBucket, GivesExactlyTheRateInTheLongRun) {
  TokenBucket bucket({.per_second = 200, .burst = 400}, kStart);
  int taken = 0;
  for (int tick = 0; tick < 100'000; ++tick) taken += TakeAll(bucket, kStart + milliseconds(tick));
  EXPECT_NEAR(taken, 400 + 200 * 100, 1);
}

TEST(SparseReports, CountWhatTheyLeaveOut) {
  SparseReports reports({.per_second = 1, .burst = 2}, kStart);
  EXPECT_EQ(reports.Take(kStart), 0U);
  EXPECT_EQ(reports.Take(kStart), 0U);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(reports.Take(kStart));
  EXPECT_EQ(reports.Take(kStart + milliseconds(1000)), 7U);
  EXPECT_EQ(reports.Take(kStart + milliseconds(2000)), 0U);
}

}  // namespace
}  // namespace gocomet::controlplane
