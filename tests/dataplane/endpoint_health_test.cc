#include "dataplane/health/endpoint_health.h"

#include <gtest/gtest.h>

namespace gocomet::dataplane {
namespace {

using enum ProbeOutcome;

constexpr HealthPolicy kPolicy{.healthy_threshold = 2, .unhealthy_threshold = 3};

TEST(EndpointHealth, TrustsANewEndpoint) {
  EXPECT_TRUE(EndpointHealth().healthy());
  EXPECT_TRUE(EndpointHealth().takes_connections());
}

TEST(EndpointHealth, GoesOutAfterAsManyFailuresInARow) {
  for (const ProbeOutcome failure : {kTimedOut, kWrongAnswer}) {
    EndpointHealth health;
    EXPECT_FALSE(health.ObserveProbe(failure, "bad", kPolicy));
    EXPECT_FALSE(health.ObserveProbe(failure, "bad", kPolicy));
    EXPECT_FALSE(health.ObserveProbe(kPassed, "200", kPolicy)) << "the run of failures is broken";
    EXPECT_FALSE(health.ObserveProbe(failure, "bad", kPolicy));
    EXPECT_FALSE(health.ObserveProbe(failure, "bad", kPolicy));
    EXPECT_TRUE(health.healthy());
    EXPECT_TRUE(health.ObserveProbe(failure, "worse", kPolicy));
    EXPECT_FALSE(health.healthy());
    EXPECT_TRUE(health.takes_connections());
    EXPECT_EQ(health.reason(), "worse");
  }
}

TEST(EndpointHealth, GoesOutAtOnceWhereConnectionsAreRefused) {
  EndpointHealth by_probe;
  EXPECT_TRUE(by_probe.ObserveProbe(kRefused, "refused", kPolicy));
  EXPECT_FALSE(by_probe.healthy());
  EXPECT_FALSE(by_probe.takes_connections());
  EndpointHealth by_request;
  EXPECT_TRUE(by_request.ObserveRefusal("refused"));
  EXPECT_FALSE(by_request.takes_connections());
  EXPECT_FALSE(by_request.ObserveRefusal("refused")) << "it is out already";
}

TEST(EndpointHealth, ComesBackAfterAsManyPassesInARow) {
  EndpointHealth health;
  for (int i = 0; i < 3; ++i) health.ObserveProbe(kTimedOut, "slow", kPolicy);
  EXPECT_FALSE(health.ObserveProbe(kPassed, "200", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(kTimedOut, "slow", kPolicy));
  EXPECT_FALSE(health.ObserveProbe(kPassed, "200", kPolicy));
  EXPECT_FALSE(health.healthy());
  EXPECT_TRUE(health.ObserveProbe(kPassed, "200", kPolicy));
  EXPECT_TRUE(health.healthy());
  EXPECT_EQ(health.reason(), "");
}

TEST(EndpointHealth, TakesConnectionsAgainAsSoonAsAProbeConnects) {
  for (const ProbeOutcome outcome : {kTimedOut, kWrongAnswer, kPassed}) {
    EndpointHealth health;
    health.ObserveRefusal("refused");
    EXPECT_TRUE(health.ObserveProbe(outcome, "", kPolicy));
    EXPECT_TRUE(health.takes_connections());
    EXPECT_FALSE(health.healthy()) << "one probe is too few";
  }
}

TEST(EndpointHealth, NeedsOnePassByDefault) {
  EndpointHealth health;
  health.ObserveRefusal("refused");
  EXPECT_TRUE(health.ObserveProbe(kPassed, "200", HealthPolicy{}));
  EXPECT_TRUE(health.healthy());
}

TEST(EndpointHealth, CountsNoFailureTwiceAfterItCameBack) {
  EndpointHealth health;
  const HealthPolicy policy;
  health.ObserveProbe(kTimedOut, "slow", policy);
  health.ObserveProbe(kTimedOut, "slow", policy);
  EXPECT_FALSE(health.healthy());
  health.ObserveProbe(kPassed, "200", policy);
  EXPECT_FALSE(health.ObserveProbe(kTimedOut, "slow", policy));
  EXPECT_TRUE(health.healthy());
}

}  // namespace
}  // namespace gocomet::dataplane
