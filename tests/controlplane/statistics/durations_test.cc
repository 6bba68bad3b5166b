#include "controlplane/statistics/durations.h"

#include <gtest/gtest.h>

namespace gocomet::controlplane {
namespace {

using std::chrono::seconds;

constexpr SteadyTime kBegin{seconds(1000)};

// So many durations of one bucket.
SparseDurations Times(uint64_t count, uint32_t bucket = 10) {
  if (count == 0) return {};
  return *SparseDurations::Make({{bucket, count}}, count);
}

Durations::Source From(const std::string& balancer, const std::string& worker) {
  return {balancer, 1, worker, 1};
}

TEST(Durations, AddUpOverBalancers) {
  Durations durations;
  EXPECT_EQ(durations.OfWorker("w"), nullptr);
  durations.Introduce(From("a", "w"), "web", Times(3));
  durations.Introduce(From("b", "w"), "web", Times(4, 20));
  EXPECT_TRUE(durations.Apply(From("a", "w"), Times(5), kBegin));
  ASSERT_NE(durations.OfWorker("w"), nullptr);
  EXPECT_EQ(durations.OfWorker("w")->count(), 9u);
}

TEST(Durations, ThatWereToldBeforeCountOnce) {
  Durations durations;
  for (int i = 0; i < 3; ++i) {
    durations.Introduce(From("a", "w"), "web", Times(3));
    EXPECT_TRUE(durations.Apply(From("a", "w"), Times(3), kBegin));
  }
  EXPECT_EQ(durations.OfWorker("w")->count(), 3u);
}

TEST(Durations, NeverGoBackwards) {
  Durations durations;
  durations.Introduce(From("a", "w"), "web", Times(3));
  EXPECT_FALSE(durations.Apply(From("a", "w"), Times(2), kBegin));
  EXPECT_EQ(durations.OfWorker("w")->count(), 3u);
}

TEST(Durations, AreTakenOfKnownSourcesAlone) {
  Durations durations;
  EXPECT_FALSE(durations.Knows(From("a", "w")));
  EXPECT_FALSE(durations.Apply(From("a", "w"), Times(2), kBegin));
  durations.Introduce(From("a", "w"), "web", {});
  EXPECT_TRUE(durations.Knows(From("a", "w")));
}

TEST(Durations, OfTheLastMinuteAreThoseAddedInIt) {
  Durations durations;
  durations.Introduce(From("a", "w"), "web", Times(1000));
  EXPECT_EQ(durations.Recent("web", kBegin).count(), 0u) << "of all times before";
  for (int second = 1; second <= 100; ++second) {
    durations.Apply(From("a", "w"), Times(1000 + static_cast<uint64_t>(second)),
                    kBegin + seconds(second));
  }
  EXPECT_EQ(durations.Recent("web", kBegin + seconds(100)).count(), 61u);
  EXPECT_EQ(durations.Recent("web", kBegin + seconds(130)).count(), 31u);
  EXPECT_EQ(durations.Recent("web", kBegin + seconds(300)).count(), 0u);
  EXPECT_EQ(durations.Recent("other", kBegin + seconds(100)).count(), 0u);
}

}  // namespace
}  // namespace gocomet::controlplane
