#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/balance/round_robin.h"
#include "dataplane/balance/weighted_round_robin.h"

// The algorithms that give each place its turn, where the turns promise exact shares.
namespace gocomet::dataplane {
namespace {

constexpr auto kAll = [](size_t) { return true; };

template <typename Algorithm, typename Usable>
std::vector<int> CountTurns(Algorithm& algorithm, size_t places, int turns, const Usable& usable) {
  std::vector<int> counts(places, 0);
  for (int i = 0; i < turns; ++i) ++counts[algorithm.Next(usable).value()];
  return counts;
}

std::string Printed(const std::vector<uint32_t>& sequence) {
  std::string text;
  for (const uint32_t place : sequence) text += static_cast<char>('a' + place);
  return text;
}

TEST(RoundRobin, GivesEachPlaceItsTurnOverAnyRun) {
  for (const size_t places : {1u, 2u, 3u, 7u, 100u}) {
    RoundRobin turns(places);
    for (size_t begin = 0; begin < places; ++begin) {
      EXPECT_EQ(CountTurns(turns, places, static_cast<int>(5 * places), kAll),
                std::vector<int>(places, 5))
          << places << " places, run beginning at turn " << begin;
      turns.Skip(1);
    }
  }
}

TEST(RoundRobin, IsExactWhateverTheNumberOfThreads) {
  RoundRobin turns(3);
  std::atomic<int> taken[3] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) ++taken[*turns.Next(kAll)];
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& count : taken) EXPECT_EQ(count, 4000);
}

TEST(RoundRobin, SharesTheTurnsOfThoseThatCannotBeUsedAmongAllOthers) {
  RoundRobin turns(5);
  const auto usable = [](size_t place) { return place != 1 && place != 2; };
  EXPECT_EQ(CountTurns(turns, 5, 300, usable), (std::vector<int>{100, 0, 0, 100, 100}));
}

TEST(RoundRobin, FindsTheOnlyUsablePlaceAndSaysWhereThereIsNone) {
  RoundRobin turns(4);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(turns.Next([](size_t p) { return p == 2; }), 2u);
  EXPECT_EQ(turns.Next([](size_t) { return false; }), std::nullopt);
}

TEST(RoundRobin, GoesOnWhereItsPredecessorStood) {
  RoundRobin before(3);
  before.Next(kAll);
  before.Next(kAll);
  RoundRobin after(3, before.position());
  EXPECT_EQ(after.Next(kAll), 2u);
}

TEST(SmoothSequence, SpreadsEachPlaceOverTheRoundAsNginxDoes) {
  EXPECT_EQ(Printed(SmoothSequence(std::vector<uint32_t>{5, 1, 1})), "aabacaa");
  EXPECT_EQ(Printed(SmoothSequence(std::vector<uint32_t>{4, 2, 1})), "abacaba");
  EXPECT_EQ(Printed(SmoothSequence(std::vector<uint32_t>{3, 3, 3})), "abc");
  EXPECT_EQ(Printed(SmoothSequence(std::vector<uint32_t>{2, 4})), "bab");
  EXPECT_EQ(Printed(SmoothSequence(std::vector<uint32_t>{0, 1})), "ab");
}

TEST(SmoothSequence, NeverLetsAPlaceFallBehindItsShareByMoreThanOneTurn) {
  const std::vector<uint32_t> weights = {7, 1, 3, 12, 5};
  const double round = 28;
  const std::vector<uint32_t> sequence = SmoothSequence(weights);
  std::vector<double> had(weights.size(), 0);
  for (size_t turn = 0; turn < sequence.size(); ++turn) {
    ++had[sequence[turn]];
    for (size_t i = 0; i < weights.size(); ++i) {
      const double due = static_cast<double>(turn + 1) * weights[i] / round;
      EXPECT_LT(std::abs(had[i] - due), 1.0 + 1e-9) << "place " << i << " after turn " << turn;
    }
  }
}

TEST(SmoothSequence, KeepsItsLengthBoundedAndItsProportions) {
  std::vector<uint32_t> weights(1000, 100'000);
  weights[0] = 300'000;
  weights[1] = 1;
  const std::vector<uint32_t> sequence = SmoothSequence(weights);
  EXPECT_LE(sequence.size(), kSequenceMax);
  std::vector<int> counts(weights.size(), 0);
  for (const uint32_t place : sequence) ++counts[place];
  EXPECT_NEAR(counts[0] / static_cast<double>(counts[2]), 3.0, 0.05);
  EXPECT_EQ(counts[1], 1);
}

TEST(SmoothSequence, FitsAThousandPlacesWithWeightsUpToAHundredUnscaled) {
  std::vector<uint32_t> weights;
  size_t sum = 0;
  for (uint32_t i = 0; i < 1000; ++i) {
    weights.push_back(i % 100 + 1);
    sum += weights.back();
  }
  EXPECT_EQ(SmoothSequence(weights).size(), sum);
}

TEST(WeightedRoundRobin, GivesExactSharesOverAnyRunOfWholeRounds) {
  WeightedRoundRobin turns(std::vector<uint32_t>{5, 1, 2});
  for (int begin = 0; begin < 8; ++begin) {
    EXPECT_EQ(CountTurns(turns, 3, 80, kAll), (std::vector<int>{50, 10, 20})) << begin;
    turns.Skip(1);
  }
}

TEST(WeightedRoundRobin, IsExactWhateverTheNumberOfThreads) {
  WeightedRoundRobin turns(std::vector<uint32_t>{3, 1});
  std::atomic<int> taken[2] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) ++taken[*turns.Next(kAll)];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken[0], 9000);
  EXPECT_EQ(taken[1], 3000);
}

TEST(WeightedRoundRobin, KeepsTheProportionOfThoseThatCanBeUsed) {
  WeightedRoundRobin turns(std::vector<uint32_t>{5, 1, 2});
  EXPECT_EQ(CountTurns(turns, 3, 300, [](size_t place) { return place != 0; }),
            (std::vector<int>{0, 100, 200}));
}

}  // namespace
}  // namespace gocomet::dataplane
