#include "dataplane/shard/timer_wheel.h"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = TimerWheel::Time;

constexpr Time kStart{std::chrono::hours(1000)};

struct Bell final : TimerWheel::Timer {
  void OnTime(Time now) override {
    rung.push_back(now);
    if (then) then();
  }
  std::vector<Time> rung;
  std::function<void()> then;
};

class Wheel : public ::testing::Test {
 protected:
  // As an event loop would: sleeps until the wheel asks to be called.
  void RunUntil(Time end) {
    while (true) {
      const auto next = wheel.NextTime();
      if (!next || *next > end) break;
      wheel.Advance(*next);
      ++wakes;
    }
    wheel.Advance(end);
  }
  TimerWheel wheel{kStart};
  int wakes = 0;
};

TEST_F(Wheel, CallsATimerOnceAtItsTimeOrUpToATickLater) {
  for (const milliseconds wait : {milliseconds(0), milliseconds(1), milliseconds(10),
                                  milliseconds(10'240), milliseconds(75'003)}) {
    TimerWheel one(kStart);
    Bell bell;
    one.Set(bell, kStart + wait);
    while (const auto next = one.NextTime()) one.Advance(*next);
    ASSERT_EQ(bell.rung.size(), 1U) << wait.count() << " ms";
    EXPECT_GE(bell.rung[0], kStart + wait);
    EXPECT_LE(bell.rung[0], kStart + wait + TimerWheel::kTick);
  }
}

TEST_F(Wheel, AsksForNothingWhereNothingIsSet) {
  EXPECT_EQ(wheel.NextTime(), std::nullopt);
  Bell bell;
  wheel.Set(bell, kStart + seconds(3));
  TimerWheel::Cancel(bell);
  EXPECT_EQ(wheel.NextTime(), std::nullopt);
  RunUntil(kStart + seconds(10));
  EXPECT_TRUE(bell.rung.empty());
}

TEST_F(Wheel, KeepsAnEarlierTimeOnlyWhereAskedTo) {
  Bell bell;
  wheel.Set(bell, kStart + seconds(1));
  wheel.SetNoLater(bell, kStart + seconds(2));
  RunUntil(kStart + milliseconds(1500));
  EXPECT_EQ(bell.rung.size(), 1U) << "the earlier time stood";
  wheel.Set(bell, kStart + seconds(4));
  wheel.SetNoLater(bell, kStart + seconds(3));
  RunUntil(kStart + milliseconds(3500));
  EXPECT_EQ(bell.rung.size(), 2U) << "a still earlier one replaced it";
  wheel.Set(bell, kStart + seconds(5));
  wheel.Set(bell, kStart + seconds(8));
  RunUntil(kStart + seconds(6));
  EXPECT_EQ(bell.rung.size(), 2U) << "Set moves it later, too";
}

TEST_F(Wheel, LetsTimersSetAndCancelEachOtherWhileTheyAreCalled) {
  Bell first;
  Bell second;
  first.then = [&] {
    TimerWheel::Cancel(second);
    wheel.Set(first, kStart + seconds(2));
    first.then = nullptr;
  };
  second.then = [&] { TimerWheel::Cancel(first); };
  wheel.Set(first, kStart + seconds(1));
  wheel.Set(second, kStart + seconds(1));
  RunUntil(kStart + seconds(5));
  // Whichever came first cancelled the other.
  EXPECT_EQ(first.rung.size() + second.rung.size(), first.rung.empty() ? 1U : 2U);
}

TEST_F(Wheel, ForgetsATimerThatEnds) {
  {
    Bell bell;
    wheel.Set(bell, kStart + seconds(1));
  }
  RunUntil(kStart + seconds(2));
}

TEST_F(Wheel, MissesNothingAfterALongPause) {
  std::vector<Bell> bells(3000);
  for (size_t i = 0; i < bells.size(); ++i) wheel.Set(bells[i], kStart + milliseconds(17 * i));
  wheel.Advance(kStart + seconds(60));
  for (const Bell& bell : bells) EXPECT_EQ(bell.rung.size(), 1U);
}

TEST_F(Wheel, AgreesWithASortedListOverRandomHistories) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    TimerWheel one(kStart);
    std::vector<Bell> bells(100);
    std::map<size_t, Time> due;
    Time now = kStart;
    for (int step = 0; step < 2000; ++step) {
      const size_t i = random() % bells.size();
      if (random() % 4 == 0) {
        TimerWheel::Cancel(bells[i]);
        due.erase(i);
      } else {
        const Time time = now + milliseconds(random() % 40'000);
        one.Set(bells[i], time);
        due[i] = time;
      }
      now += milliseconds(random() % 200);
      one.Advance(now);
      for (size_t k = 0; k < bells.size(); ++k) {
        const auto found = due.find(k);
        if (!bells[k].rung.empty()) {
          ASSERT_TRUE(found != due.end() && found->second <= now) << "too early, seed " << seed;
          due.erase(found);
          bells[k].rung.clear();
        } else if (found != due.end()) {
          ASSERT_GT(found->second + TimerWheel::kTick, now - TimerWheel::kTick)
              << "too late, seed " << seed;
        }
      }
    }
  }
}

TEST_F(Wheel, WakesRarelyForADistantDeadline) {
  Bell bell;
  wheel.Set(bell, kStart + std::chrono::minutes(60));
  RunUntil(kStart + std::chrono::minutes(61));
  EXPECT_EQ(bell.rung.size(), 1U);
  EXPECT_LT(wakes, 400) << "once in each turn of the wheel";
}

}  // namespace
}  // namespace gocomet::dataplane
