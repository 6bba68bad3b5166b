#include <map>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/app/director.h"
#include "dataplane/health/endpoint_health.h"
#include "dataplane/proxy/routing_table.h"

namespace gocomet::dataplane {
namespace {

RoutingTable TableOf(int workers) {
  RoutingTable table;
  table.turns = std::make_shared<RoundRobin>();
  for (int i = 0; i < workers; ++i) {
    table.eligible.push_back(std::make_shared<Endpoint>(std::to_string(i), 1, Address()));
  }
  return table;
}

TEST(RoundRobin, IsExactWhateverTheNumberOfThreads) {
  RoundRobin turns;
  std::atomic<int> taken[3] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) ++taken[turns.Next(3)];
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& count : taken) EXPECT_EQ(count, 4000);
}

TEST(Pick, GivesEachWorkerItsTurn) {
  const RoutingTable table = TableOf(3);
  std::map<std::string, int> counts;
  for (int i = 0; i < 30; ++i) ++counts[Pick(table, {})->worker_id];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"0", 10}, {"1", 10}, {"2", 10}}));
}

TEST(Pick, GivesNoWorkerThatWasTried) {
  const RoutingTable table = TableOf(2);
  const std::vector<EndpointPointer> tried = {table.eligible[0]};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Pick(table, tried), table.eligible[1]);
  EXPECT_EQ(Pick(table, table.eligible), nullptr);
  EXPECT_EQ(Pick(TableOf(0), {}), nullptr);
}

TEST(Pick, AvoidsWorkersThatRefuseWhileAnotherDoesNot) {
  const RoutingTable table = TableOf(2);
  table.eligible[0]->refuses = true;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Pick(table, {}), table.eligible[1]);
  table.eligible[1]->refuses = true;
  EXPECT_NE(Pick(table, {}), nullptr);
}

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
