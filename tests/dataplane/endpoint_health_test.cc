#include "dataplane/health/endpoint_health.h"

#include <vector>

#include <gtest/gtest.h>

#include "dataplane/app/director.h"

namespace gocomet::dataplane {
namespace {

constexpr HealthPolicy kPolicy{.healthy_threshold = 2, .unhealthy_threshold = 3};

TEST(EndpointHealth, TrustsANewEndpoint) { EXPECT_TRUE(EndpointHealth().healthy()); }

TEST(EndpointHealth, GoesOutAfterAsManySlowProbesInARow) {
  EndpointHealth health;
  EXPECT_FALSE(health.ObserveProbe(false, true, "slow", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(false, true, "slow", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(true, false, "", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(false, true, "slow", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(false, true, "slow", kPolicy));
  EXPECT_TRUE(health.healthy());
  EXPECT_TRUE(health.ObserveProbe(false, true, "slow", kPolicy));
  EXPECT_FALSE(health.healthy());
  EXPECT_TRUE(health.only_slow());
  EXPECT_EQ(health.reason(), "slow");
}

TEST(EndpointHealth, GoesOutAtOnceWhereConnectionsAreRefused) {
  EndpointHealth health;
  EXPECT_TRUE(health.ObserveProbe(false, false, "refused", kPolicy));
  EXPECT_FALSE(health.healthy());
  EXPECT_FALSE(health.only_slow());
}

TEST(EndpointHealth, ComesBackAfterAsManyPassesInARow) {
  EndpointHealth health;
  EXPECT_TRUE(health.ObserveRefusal("refused"));
  EXPECT_FALSE(health.ObserveProbe(true, false, "", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(false, false, "refused", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(true, false, "", kPolicy));
  EXPECT_TRUE(health.ObserveProbe(true, false, "", kPolicy));
  EXPECT_TRUE(health.healthy());
  EXPECT_EQ(health.reason(), "");
}

std::vector<size_t> Eligible(const std::vector<EndpointHealth>& healths, uint32_t panic_percent) {
  std::vector<const EndpointHealth*> pointers;
  for (const EndpointHealth& health : healths) pointers.push_back(&health);
  return ChooseEligible(pointers, panic_percent);
}

TEST(ChooseEligible, TakesTheHealthyOnes) {
  std::vector<EndpointHealth> healths(4);
  healths[1].ObserveRefusal("refused");
  EXPECT_EQ(Eligible(healths, 30), (std::vector<size_t>{0, 2, 3}));
}

TEST(ChooseEligible, AddsTheSlowOnesInPanicAndNeverThoseThatRefuse) {
  std::vector<EndpointHealth> healths(4);
  const HealthPolicy at_once{.unhealthy_threshold = 1};
  healths[0].ObserveProbe(false, true, "slow", at_once);
  healths[1].ObserveProbe(false, true, "slow", at_once);
  EXPECT_EQ(Eligible(healths, 30), (std::vector<size_t>{2, 3}));
  healths[2].ObserveRefusal("refused");
  EXPECT_EQ(Eligible(healths, 30), (std::vector<size_t>{0, 1, 3}));
  healths[3].ObserveRefusal("refused");
  EXPECT_EQ(Eligible(healths, 30), (std::vector<size_t>{0, 1}));
}

}  // namespace
}  // namespace gocomet::dataplane
