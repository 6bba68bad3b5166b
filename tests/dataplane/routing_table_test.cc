#include "dataplane/proxy/routing_table.h"

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/balance/stable_hash.h"

namespace gocomet::dataplane {
namespace {

constexpr Algorithm kAlgorithms[] = {Algorithm::kRoundRobin, Algorithm::kWeighted,
                                     Algorithm::kLeastRequests, Algorithm::kTwoChoices,
                                     Algorithm::kConsistentHash};

std::vector<Candidate> Candidates(int count) {
  std::vector<Candidate> candidates;
  for (int i = 0; i < count; ++i) {
    candidates.push_back({std::make_shared<Endpoint>(std::to_string(i), 1, Address())});
  }
  return candidates;
}

RoutingTable TableOf(int count, Algorithm algorithm = Algorithm::kRoundRobin) {
  return RoutingTable(Candidates(count), algorithm);
}

RequestFacts Facts(uint64_t request) {
  return {.key_hash = Mix(request + 1), .random = Mix(request + 1'000'000)};
}

std::map<std::string, int> Counts(const RoutingTable& table, int requests) {
  std::map<std::string, int> counts;
  for (int i = 0; i < requests; ++i) {
    ++counts[table.Pick(Facts(static_cast<uint64_t>(i)), {})->worker_id];
  }
  return counts;
}

using Shares = std::map<std::string, int>;

TEST(RoutingTable, RoutesToNobodyWhereThereIsNobody) {
  EXPECT_EQ(RoutingTable().Pick({}, {}), nullptr);
  for (const Algorithm algorithm : kAlgorithms) {
    EXPECT_EQ(TableOf(0, algorithm).Pick(Facts(1), {}), nullptr) << NameOf(algorithm);
  }
}

TEST(RoutingTable, GivesEachWorkerItsTurn) {
  EXPECT_EQ(Counts(TableOf(3), 30), (Shares{{"0", 10}, {"1", 10}, {"2", 10}}));
}

TEST(RoutingTable, GivesNoWorkerThatWasTriedByAnyAlgorithm) {
  for (const Algorithm algorithm : kAlgorithms) {
    const RoutingTable table = TableOf(3, algorithm);
    const std::vector<EndpointPointer> tried = {table.eligible[0], table.eligible[2]};
    for (uint64_t i = 0; i < 50; ++i) {
      ASSERT_EQ(table.Pick(Facts(i), tried), table.eligible[1]) << NameOf(algorithm);
    }
    EXPECT_EQ(table.Pick(Facts(0), table.eligible), nullptr) << NameOf(algorithm);
  }
}

TEST(RoutingTable, AvoidsWorkersThatRefuseWhileAnotherDoesNotByAnyAlgorithm) {
  for (const Algorithm algorithm : kAlgorithms) {
    const RoutingTable table = TableOf(3, algorithm);
    table.eligible[0]->refuses = true;
    table.eligible[1]->refuses = true;
    for (uint64_t i = 0; i < 50; ++i) {
      ASSERT_EQ(table.Pick(Facts(i), {}), table.eligible[2]) << NameOf(algorithm);
    }
    table.eligible[2]->refuses = true;
    EXPECT_NE(table.Pick(Facts(0), {}), nullptr) << NameOf(algorithm);
    const std::vector<EndpointPointer> tried = {table.eligible[0], table.eligible[1]};
    EXPECT_EQ(table.Pick(Facts(0), tried), table.eligible[2]) << NameOf(algorithm);
  }
}

TEST(RoutingTable, SharesExactlyAmongTheOthersWhileOneRefuses) {
  const RoutingTable table = TableOf(4);
  table.eligible[1]->refuses = true;
  EXPECT_EQ(Counts(table, 300), (Shares{{"0", 100}, {"2", 100}, {"3", 100}}));
}

TEST(RoutingTable, SharesExactlyWhereRequestsAreTriedAgain) {
  // Every attempt at worker 1 fails: its requests take the next turn, and nobody's share doubles.
  const RoutingTable table = TableOf(3);
  std::map<std::string, int> answered;
  for (uint64_t i = 0; i < 300; ++i) {
    std::vector<EndpointPointer> tried;
    EndpointPointer endpoint = table.Pick(Facts(i), tried);
    if (endpoint->worker_id == "1") {
      tried.push_back(endpoint);
      endpoint = table.Pick(Facts(i), tried);
    }
    ++answered[endpoint->worker_id];
  }
  EXPECT_EQ(answered, (Shares{{"0", 150}, {"2", 150}}));
}

TEST(RoutingTable, SharesExactlyAfterTheSetOfWorkersChanged) {
  const std::vector<Candidate> all = Candidates(5);
  RoutingTable table(std::span<const Candidate>(all).first(3), {});
  for (int i = 0; i < 7; ++i) table.Pick({}, {});
  table = RoutingTable(all, {}, &table);
  EXPECT_EQ(Counts(table, 50), (Shares{{"0", 10}, {"1", 10}, {"2", 10}, {"3", 10}, {"4", 10}}));
  table = RoutingTable(std::span<const Candidate>(all).last(2), {}, &table);
  EXPECT_EQ(Counts(table, 50), (Shares{{"3", 25}, {"4", 25}}));
}

TEST(RoutingTable, GoesOnWithTheTurnsWhereNothingChanged) {
  const std::vector<Candidate> all = Candidates(3);
  const RoutingTable before(all, {});
  EXPECT_EQ(before.Pick({}, {})->worker_id, "0");
  const RoutingTable after(all, {}, &before);
  EXPECT_EQ(after.Pick({}, {})->worker_id, "1");
  EXPECT_EQ(before.Pick({}, {})->worker_id, "2") << "threads that have not changed yet share them";
  EXPECT_EQ(after.Pick({}, {})->worker_id, "0");
}

TEST(RoutingTable, KeepsTheLawOfEachTableWhileThreadsChangeFromOneToTheNext) {
  const std::vector<Candidate> all = Candidates(4);
  const RoutingTable before(std::span<const Candidate>(all).first(3), {});
  before.Pick({}, {});
  const RoutingTable after(all, {}, &before);
  std::map<std::string, int> by_before;
  std::map<std::string, int> by_after;
  for (int i = 0; i < 12; ++i) {
    ++by_before[before.Pick({}, {})->worker_id];
    ++by_after[after.Pick({}, {})->worker_id];
  }
  EXPECT_EQ(by_before, (Shares{{"0", 4}, {"1", 4}, {"2", 4}}));
  EXPECT_EQ(by_after, (Shares{{"0", 3}, {"1", 3}, {"2", 3}, {"3", 3}}));
}

TEST(RoutingTable, GivesAStartingWorkerASmallerShareUnderRoundRobin) {
  std::vector<Candidate> candidates = Candidates(3);
  candidates[0].weight = candidates[1].weight = 10;
  candidates[2].weight = 1;
  const RoutingTable table(candidates, {});
  EXPECT_EQ(Counts(table, 210), (Shares{{"0", 100}, {"1", 100}, {"2", 10}}));
}

TEST(RoutingTable, LooksAtRequestsInFlightWhereTheAlgorithmDoes) {
  for (const Algorithm algorithm : {Algorithm::kLeastRequests, Algorithm::kTwoChoices}) {
    const RoutingTable table = TableOf(2, algorithm);
    table.eligible[0]->in_flight = 3;
    table.eligible[1]->in_flight = 2;
    for (uint64_t i = 0; i < 20; ++i) EXPECT_EQ(table.Pick(Facts(i), {}), table.eligible[1]);
  }
}

TEST(RoutingTable, KeepsRequestsOfOneKeyWithOneWorker) {
  const RoutingTable table = TableOf(5, Algorithm::kConsistentHash);
  std::set<std::string> used;
  for (uint64_t key = 0; key < 100; ++key) {
    const EndpointPointer first = table.Pick(Facts(key), {});
    EXPECT_EQ(table.Pick(Facts(key), {}), first);
    used.insert(first->worker_id);
  }
  EXPECT_EQ(used.size(), 5u);
}

TEST(RoutingTable, PicksFromManyThreadsAtOnceWithinTheBoundsOfEachAlgorithm) {
  for (const Algorithm algorithm : kAlgorithms) {
    const RoutingTable table = TableOf(4, algorithm);
    std::vector<std::thread> threads;
    std::atomic<int> counts[4] = {};
    for (uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (uint64_t i = 0; i < 2000; ++i) {
          const EndpointPointer endpoint = table.Pick(Facts(t * 2000 + i), {});
          ++counts[std::stoi(endpoint->worker_id)];
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const bool exact = algorithm == Algorithm::kRoundRobin || algorithm == Algorithm::kWeighted;
    for (const auto& count : counts) {
      EXPECT_NEAR(count, 2000, exact ? 0 : 250) << NameOf(algorithm);
    }
  }
}

}  // namespace
}  // namespace gocomet::dataplane
