#include "controlplane/access/client_limits.h"

#include <vector>

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

const SteadyTime kStart{std::chrono::hours(1)};
constexpr Rate kRate{.per_second = 10, .burst = 20};

int TakeAll(ClientLimits& limits, const std::string& key, SteadyTime now) {
  int taken = 0;
  while (!limits.TakeCall(key, now)) ++taken;
  return taken;
}

TEST(ClientLimits, OneClientsCallsAreNoOthersLoss) {
  ClientLimits limits(kRate);
  EXPECT_EQ(TakeAll(limits, "a", kStart), 20);
  EXPECT_EQ(TakeAll(limits, "b", kStart), 20);
  EXPECT_EQ(TakeAll(limits, "a", kStart), 0);
}

TEST(ClientLimits, KeepNothingOfThoseWhoAskForNothing) {
  ClientLimits limits(kRate);
  for (size_t i = 0; i < 3 * ClientLimits::kClientsMax; ++i) {
    const SteadyTime now = kStart + std::chrono::milliseconds(10 * i);
    EXPECT_FALSE(limits.TakeCall(Cat("client-", i), now));
  }
  EXPECT_LE(limits.clients(), ClientLimits::kClientsMax);
}

TEST(ClientLimits, StayBoundedWhateverManyAreBusy) {
  ClientLimits limits(kRate);
  for (size_t i = 0; i < ClientLimits::kClientsMax; ++i) {
    EXPECT_FALSE(limits.TakeCall(Cat("client-", i), kStart));
  }
  int served = 0;
  for (int i = 0; i < 1000; ++i) {
    if (!limits.TakeCall(Cat("latecomer-", i), kStart)) ++served;
  }
  EXPECT_EQ(served, 20) << "latecomers share one bucket";
  EXPECT_EQ(limits.clients(), ClientLimits::kClientsMax + 1);
  EXPECT_EQ(TakeAll(limits, "client-7", kStart), 19) << "those who were there keep theirs";
}

TEST(ClientLimits, GiveEachClientItsStreams) {
  ClientLimits limits(kRate);
  std::vector<std::shared_ptr<void>> places;
  for (int i = 0; i < 3; ++i) places.push_back(limits.TakeStream("a", 3));
  EXPECT_NE(places.back(), nullptr);
  EXPECT_EQ(limits.TakeStream("a", 3), nullptr);
  EXPECT_NE(limits.TakeStream("b", 3), nullptr);
  places.pop_back();
  EXPECT_NE(limits.TakeStream("a", 3), nullptr);
}

TEST(ClientLimits, APlaceMayOutliveTheLimits) {
  std::shared_ptr<void> place;
  {
    ClientLimits limits(kRate);
    place = limits.TakeStream("a", 1);
  }
  EXPECT_NE(place, nullptr);
}

}  // namespace
}  // namespace gocomet::controlplane
