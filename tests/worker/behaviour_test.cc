#include "worker/behaviour.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace gocomet::worker {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

std::vector<Outcome> Take(uint64_t seed, const Settings& settings, size_t count) {
  Behaviour behaviour(seed);
  std::vector<Outcome> outcomes(count);
  for (Outcome& outcome : outcomes) outcome = behaviour.Next(settings);
  return outcomes;
}

size_t Failures(const std::vector<Outcome>& outcomes) {
  return static_cast<size_t>(std::count_if(outcomes.begin(), outcomes.end(),
                                           [](const Outcome& outcome) { return outcome.fails; }));
}

TEST(Behaviour, NothingFailsAtZeroPercent) {
  EXPECT_EQ(Failures(Take(1, {.failure_percent = 0}, 100'000)), 0U);
}

TEST(Behaviour, EverythingFailsAtAHundredPercent) {
  EXPECT_EQ(Failures(Take(1, {.failure_percent = 100}, 100'000)), 100'000U);
}

TEST(Behaviour, TheShareOfFailuresIsThePercentage) {
  for (const uint32_t percent : {1U, 12U, 50U, 99U}) {
    const double wanted = percent * 10'000.0;
    EXPECT_NEAR(static_cast<double>(Failures(Take(7, {.failure_percent = percent}, 1'000'000))),
                wanted, 2'500.0)  // Five standard deviations at 50 %.
        << percent << " %";
  }
}

TEST(Behaviour, AFailureDoesNotWait) {
  for (const Outcome& outcome :
       Take(3, {.average_delay = milliseconds(500), .failure_percent = 100}, 100)) {
    EXPECT_EQ(outcome.delay, microseconds(0));
  }
}

TEST(Behaviour, DelaysReachBothEndsOfHalfToThreeHalvesAndNothingBeyond) {
  std::vector<size_t> seen(10, 0);
  for (const Outcome& outcome : Take(5, {.average_delay = microseconds(4)}, 100'000)) {
    ASSERT_LT(static_cast<size_t>(outcome.delay.count()), seen.size());
    ++seen[static_cast<size_t>(outcome.delay.count())];
  }
  for (size_t delay = 0; delay < seen.size(); ++delay) {
    if (delay < 2 || delay > 6) {
      EXPECT_EQ(seen[delay], 0U) << delay;
    } else {
      EXPECT_NEAR(static_cast<double>(seen[delay]), 20'000.0, 700.0) << delay;
    }
  }
}

TEST(Behaviour, TheMeanDelayIsTheAverageAskedFor) {
  microseconds sum(0);
  for (const Outcome& outcome : Take(11, {.average_delay = milliseconds(500)}, 100'000)) {
    sum += outcome.delay;
  }
  EXPECT_NEAR(static_cast<double>(sum.count()) / 100'000.0, 500'000.0, 3'000.0);
}

TEST(Behaviour, NoAverageDelayIsNoDelay) {
  for (const Outcome& outcome : Take(2, {}, 1'000)) EXPECT_EQ(outcome.delay, microseconds(0));
}

TEST(Behaviour, ADelayPastTheLimitIsCutToIt) {
  for (const Outcome& outcome : Take(2, {.average_delay = std::chrono::hours(100)}, 100)) {
    EXPECT_LE(outcome.delay, microseconds(kAverageDelayMax) * 3 / 2);
  }
}

TEST(Behaviour, TheSameSeedGivesTheSameSequence) {
  const Settings settings{.average_delay = milliseconds(500), .failure_percent = 12};
  EXPECT_EQ(Take(42, settings, 1'000), Take(42, settings, 1'000));
  EXPECT_NE(Take(42, settings, 1'000), Take(43, settings, 1'000));
}

TEST(Behaviour, ChangingTheDelayLeavesThePatternOfFailures) {
  const auto slow = Take(9, {.average_delay = milliseconds(500), .failure_percent = 20}, 1'000);
  const auto fast = Take(9, {.average_delay = milliseconds(0), .failure_percent = 20}, 1'000);
  for (size_t i = 0; i < slow.size(); ++i) ASSERT_EQ(slow[i].fails, fast[i].fails) << i;
}

}  // namespace
}  // namespace gocomet::worker
