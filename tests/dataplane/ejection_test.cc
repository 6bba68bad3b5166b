#include "dataplane/health/ejection.h"

#include <vector>

#include <gtest/gtest.h>

#include "dataplane/health/eligibility.h"
#include "dataplane/health/slow_start.h"

// Everything about time: how long one is kept out, and how slowly it comes back.
namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart = SteadyTime(seconds(1'000'000));
constexpr EjectionPolicy kPolicy{.failures = 5, .time = seconds(10), .time_max = seconds(35)};

TEST(Ejection, IsNotActiveBeforeTheFirst) { EXPECT_FALSE(Ejection().active(kStart)); }

TEST(Ejection, LastsForItsTimeAndNotLonger) {
  Ejection ejection;
  ejection.Eject(kStart, kPolicy);
  EXPECT_TRUE(ejection.active(kStart));
  EXPECT_TRUE(ejection.active(kStart + seconds(10) - milliseconds(1)));
  EXPECT_FALSE(ejection.active(kStart + seconds(10)));
  EXPECT_EQ(ejection.until(), kStart + seconds(10));
}

TEST(Ejection, LastsLongerEachTimeUpToItsBound) {
  Ejection ejection;
  SteadyTime now = kStart;
  std::vector<milliseconds> lengths;
  for (int i = 0; i < 6; ++i) {
    ejection.Eject(now, kPolicy);
    lengths.push_back(ejection.length());
    now = ejection.until() + seconds(1);
  }
  EXPECT_EQ(lengths, (std::vector<milliseconds>{seconds(10), seconds(20), seconds(30), seconds(35),
                                                seconds(35), seconds(35)}));
}

TEST(Ejection, IsForgivenOneByOneForTheTimeInBetween) {
  Ejection ejection;
  SteadyTime now = kStart;
  for (int i = 0; i < 3; ++i) {
    ejection.Eject(now, kPolicy);
    now = ejection.until();
  }
  EXPECT_EQ(ejection.length(), seconds(30));
  ejection.Eject(now + seconds(19), kPolicy);  // One is forgiven, and this one counts.
  EXPECT_EQ(ejection.length(), seconds(30));
  ejection.Eject(ejection.until() + seconds(20), kPolicy);
  EXPECT_EQ(ejection.length(), seconds(20));
  ejection.Eject(ejection.until() + seconds(1000), kPolicy);
  EXPECT_EQ(ejection.length(), seconds(10));
}

TEST(Ejection, IsForgivenInBoundedTimeHoweverOftenItCame) {
  Ejection ejection;
  SteadyTime now = kStart;
  for (int i = 0; i < 1000; ++i) {
    ejection.Eject(now, kPolicy);
    now = ejection.until();
  }
  ejection.Eject(now + seconds(40), kPolicy);
  EXPECT_EQ(ejection.length(), seconds(10));
}

TEST(Ejection, CountsOnceWhileItLasts) {
  Ejection ejection;
  ejection.Eject(kStart, kPolicy);
  ejection.Eject(kStart + seconds(5), kPolicy);
  EXPECT_EQ(ejection.until(), kStart + seconds(10));
}

TEST(SlowStart, GivesTheWholeShareAtOnceWhereNoTimeIsSet) {
  SlowStart start;
  start.Begin(kStart);
  EXPECT_EQ(start.Tenths(kStart, milliseconds(0)), 10u);
  EXPECT_EQ(start.NextStep(kStart, milliseconds(0)), std::nullopt);
}

TEST(SlowStart, GivesATenthMoreWithEachTenthOfTheTime) {
  SlowStart start;
  EXPECT_EQ(start.Tenths(kStart, seconds(10)), 10u) << "it has not begun";
  start.Begin(kStart);
  EXPECT_EQ(start.Tenths(kStart, seconds(10)), 1u);
  EXPECT_EQ(start.Tenths(kStart + milliseconds(999), seconds(10)), 1u);
  EXPECT_EQ(start.Tenths(kStart + seconds(1), seconds(10)), 2u);
  EXPECT_EQ(start.Tenths(kStart + seconds(5), seconds(10)), 6u);
  EXPECT_EQ(start.Tenths(kStart + seconds(9), seconds(10)), 10u);
  EXPECT_EQ(start.Tenths(kStart + seconds(1000), seconds(10)), 10u);
}

TEST(SlowStart, NamesEachStepUntilTheLast) {
  for (const milliseconds time : {milliseconds(10'000), milliseconds(7), milliseconds(333)}) {
    SlowStart start;
    start.Begin(kStart);
    SteadyTime now = kStart;
    uint32_t tenths = start.Tenths(now, time);
    EXPECT_EQ(tenths, 1u);
    while (const auto next = start.NextStep(now, time)) {
      ASSERT_GT(*next, now) << "time must go on";
      now = *next;
      ASSERT_EQ(start.Tenths(now, time), tenths + 1) << "at " << time.count() << " ms";
      ASSERT_EQ(start.Tenths(now - std::chrono::nanoseconds(1), time), tenths);
      tenths += 1;
    }
    EXPECT_EQ(tenths, SlowStart::kWhole);
  }
}

using Places = std::vector<size_t>;

constexpr Standing kHealthy{};
constexpr Standing kFailing{.healthy = false};
constexpr Standing kRefusing{.healthy = false, .takes_connections = false};
constexpr Standing kEjected{.ejected_until = kStart + seconds(5)};
constexpr Standing kEjectedLonger{.ejected_until = kStart + seconds(9)};

Places Eligible(const std::vector<Standing>& all, uint32_t panic_percent = 30) {
  return ChooseEligible(all, panic_percent, kStart);
}

TEST(ChooseEligible, TakesTheHealthyOnes) {
  EXPECT_EQ(Eligible({kHealthy, kFailing, kHealthy, kRefusing}), (Places{0, 2}));
  EXPECT_EQ(Eligible({}), Places{});
}

TEST(ChooseEligible, TakesAllThatTakeConnectionsWhereFewerThanTheThresholdAreLeft) {
  EXPECT_EQ(Eligible({kFailing, kFailing, kHealthy, kHealthy}), (Places{2, 3}));
  EXPECT_EQ(Eligible({kFailing, kFailing, kHealthy, kRefusing}), (Places{0, 1, 2}));
  EXPECT_EQ(Eligible({kFailing, kFailing, kFailing}), (Places{0, 1, 2}));
}

TEST(ChooseEligible, TakesTheThresholdItselfAsEnough) {
  std::vector<Standing> all(10, kFailing);
  for (size_t i = 0; i < 3; ++i) all[i] = kHealthy;
  EXPECT_EQ(Eligible(all), (Places{0, 1, 2}));
  all[0] = kFailing;
  EXPECT_EQ(Eligible(all).size(), 10u);
}

TEST(ChooseEligible, TakesNobodyWhereAllRefuse) {
  EXPECT_EQ(Eligible({kRefusing, kRefusing}), Places{});
  EXPECT_EQ(Eligible({kRefusing, kRefusing}, 0), Places{});
}

TEST(ChooseEligible, HeedsEveryCheckWhereTheThresholdIsZero) {
  EXPECT_EQ(Eligible({kFailing, kFailing}, 0), Places{});
  EXPECT_EQ(Eligible({kFailing, kHealthy, kFailing}, 0), Places{1});
}

TEST(ChooseEligible, KeepsEjectedOnesOut) {
  EXPECT_EQ(Eligible({kHealthy, kEjected, kHealthy}), (Places{0, 2}));
}

TEST(ChooseEligible, KeepsAtMostHalfOutByEjection) {
  EXPECT_EQ(Eligible({kEjectedLonger, kEjected, kEjectedLonger, kHealthy}), (Places{1, 3}));
  EXPECT_EQ(Eligible({kEjected}), Places{0}) << "the only one is never kept out";
}

TEST(ChooseEligible, UsesEjectedOnesWhereNobodyElseTakesConnections) {
  EXPECT_EQ(Eligible({kEjected, kRefusing}), Places{0});
  EXPECT_EQ(Eligible({kEjected, kRefusing}, 0), Places{0});
}

TEST(ChooseEligible, NeverLeavesNobodyWhileAnyTakesConnectionsWhateverElseIsJudged) {
  const std::vector<Standing> kinds = {kHealthy, kFailing, kRefusing, kEjected, kEjectedLonger};
  for (size_t code = 0; code < 5 * 5 * 5 * 5; ++code) {
    std::vector<Standing> all;
    bool any = false;
    for (size_t rest = code, i = 0; i < 4; ++i, rest /= 5) {
      all.push_back(kinds[rest % 5]);
      any = any || all.back().takes_connections;
    }
    const Places eligible = Eligible(all);
    EXPECT_EQ(!eligible.empty(), any) << "combination " << code;
    for (const size_t place : eligible) EXPECT_TRUE(all[place].takes_connections) << code;
  }
}

TEST(MayEjectOneMore, StopsAtHalf) {
  EXPECT_FALSE(MayEjectOneMore(std::vector<Standing>{kHealthy}, kStart));
  EXPECT_TRUE(MayEjectOneMore(std::vector<Standing>{kHealthy, kHealthy}, kStart));
  EXPECT_FALSE(MayEjectOneMore(std::vector<Standing>{kHealthy, kEjected}, kStart));
  EXPECT_FALSE(MayEjectOneMore(std::vector<Standing>{kHealthy, kEjected, kHealthy}, kStart));
  EXPECT_TRUE(
      MayEjectOneMore(std::vector<Standing>{kHealthy, kEjected, kHealthy, kHealthy}, kStart));
  EXPECT_TRUE(MayEjectOneMore(std::vector<Standing>{kHealthy, kEjected}, kStart + seconds(5)))
      << "one whose time is over does not count";
}

}  // namespace
}  // namespace gocomet::dataplane
