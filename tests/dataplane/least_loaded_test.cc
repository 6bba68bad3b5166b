#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/balance/least_requests.h"
#include "dataplane/balance/two_choices.h"

// The algorithms that look at how busy each place is.
namespace gocomet::dataplane {
namespace {

constexpr auto kAll = [](size_t) { return true; };

// Places with requests in flight, as a test sets them.
struct Loads {
  explicit Loads(std::vector<uint64_t> start) : in_flight(std::move(start)) {}
  uint64_t operator()(size_t place) const { return in_flight[place]; }
  std::vector<uint64_t> in_flight;
};

std::vector<uint32_t> Equal(size_t places) { return std::vector<uint32_t>(places, 1); }

TEST(LeastRequests, ChoosesThePlaceWithTheFewest) {
  LeastRequests least(Equal(4));
  const Loads loads({3, 2, 1, 2});
  for (int i = 0; i < 8; ++i) EXPECT_EQ(least.Next(loads, kAll), 2u);
}

TEST(LeastRequests, TakesEqualOnesInTurnThoughOthersAreBusy) {
  LeastRequests least(Equal(4));
  const Loads loads({0, 9, 0, 0});
  std::vector<int> counts(4, 0);
  for (int i = 0; i < 300; ++i) ++counts[*least.Next(loads, kAll)];
  EXPECT_EQ(counts, (std::vector<int>{100, 0, 100, 100}));
}

TEST(LeastRequests, KeepsPlacesWithinOneRequestOfEachOther) {
  LeastRequests least(Equal(10));
  Loads loads(std::vector<uint64_t>(10, 0));
  for (int i = 0; i < 1000; ++i) {
    ++loads.in_flight[*least.Next(loads, kAll)];
    const auto [low, high] = std::minmax_element(loads.in_flight.begin(), loads.in_flight.end());
    ASSERT_LE(*high - *low, 1u) << "after " << i + 1 << " requests that have not ended";
  }
}

TEST(LeastRequests, GivesASlowPlaceLessThanAFastOne) {
  // Place 0 takes ten rounds for each request, the others one; three requests come each round.
  LeastRequests least(Equal(4));
  Loads loads(std::vector<uint64_t>(4, 0));
  std::vector<int> served(4, 0);
  int slow_free_in = 0;
  for (int round = 0; round < 1000; ++round) {
    for (size_t i = 1; i < 4; ++i) loads.in_flight[i] = 0;
    if (slow_free_in > 0 && --slow_free_in == 0) loads.in_flight[0] = 0;
    for (int i = 0; i < 3; ++i) {
      const size_t place = *least.Next(loads, kAll);
      if (place == 0 && loads.in_flight[0] == 0) slow_free_in = 10;
      ++loads.in_flight[place];
      ++served[place];
    }
  }
  EXPECT_LE(served[0], 110);
  for (size_t i = 1; i < 4; ++i) EXPECT_NEAR(served[i], 967, 30) << "place " << i;
}

TEST(LeastRequests, ComparesLoadsInProportionToTheWeights) {
  LeastRequests least(std::vector<uint32_t>{4, 1});
  Loads loads({0, 0});
  for (int i = 0; i < 100; ++i) ++loads.in_flight[*least.Next(loads, kAll)];
  EXPECT_NEAR(static_cast<double>(loads.in_flight[0]), 80, 2);
}

TEST(LeastRequests, SharesByWeightWhereNothingIsInFlight) {
  LeastRequests least(std::vector<uint32_t>{4, 1});
  std::vector<int> counts(2, 0);
  for (int i = 0; i < 100; ++i) ++counts[*least.Next(Loads({0, 0}), kAll)];
  EXPECT_EQ(counts, (std::vector<int>{80, 20}));
}

TEST(LeastRequests, PassesOverWhatCannotBeUsed) {
  LeastRequests least(Equal(3));
  const Loads loads({0, 5, 9});
  EXPECT_EQ(least.Next(loads, [](size_t place) { return place != 0; }), 1u);
  EXPECT_EQ(least.Next(loads, [](size_t) { return false; }), std::nullopt);
}

TEST(TwoChoices, GivesTheSamePlaceForTheSameRandomNumberAndLoads) {
  const TwoChoices choices(Equal(5));
  const Loads loads({1, 2, 3, 4, 5});
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    const uint64_t number = random();
    EXPECT_EQ(choices.Next(number, loads, kAll), choices.Next(number, loads, kAll));
  }
}

TEST(TwoChoices, NeverTakesTheMostLoadedOfAll) {
  const TwoChoices choices(Equal(5));
  const Loads loads({1, 2, 3, 9, 5});
  std::mt19937_64 random(2);
  for (int i = 0; i < 10'000; ++i) ASSERT_NE(choices.Next(random(), loads, kAll), 3u);
}

TEST(TwoChoices, SharesEvenlyAmongIdlePlaces) {
  const TwoChoices choices(Equal(10));
  const Loads loads(std::vector<uint64_t>(10, 0));
  std::mt19937_64 random(3);
  std::vector<int> counts(10, 0);
  constexpr int kRequests = 100'000;
  for (int i = 0; i < kRequests; ++i) ++counts[*choices.Next(random(), loads, kAll)];
  // Chi-squared with 9 degrees of freedom: above 27.9 once in a thousand seeds, and this seed is
  // fixed.
  double chi_squared = 0;
  for (const int count : counts) {
    const double difference = count - kRequests / 10.0;
    chi_squared += difference * difference / (kRequests / 10.0);
  }
  EXPECT_LT(chi_squared, 27.9);
}

// Mitzenmacher's result: n requests thrown at n places leave the fullest with about ln ln n / ln 2
// above the mean, where one random choice leaves it with about ln n / ln ln n.
TEST(TwoChoices, KeepsTheFullestPlaceFarLowerThanOneChoiceDoes) {
  constexpr size_t kPlaces = 1000;
  std::mt19937_64 random(4);
  const TwoChoices choices(Equal(kPlaces));
  Loads two(std::vector<uint64_t>(kPlaces, 0));
  Loads one(std::vector<uint64_t>(kPlaces, 0));
  for (size_t i = 0; i < kPlaces; ++i) {
    ++two.in_flight[*choices.Next(random(), two, kAll)];
    ++one.in_flight[random() % kPlaces];
  }
  EXPECT_LE(*std::max_element(two.in_flight.begin(), two.in_flight.end()), 4u);
  EXPECT_GE(*std::max_element(one.in_flight.begin(), one.in_flight.end()), 5u);
}

TEST(TwoChoices, DrawsPlacesAsOftenAsTheirWeightsSay) {
  const TwoChoices choices(std::vector<uint32_t>{3, 1, 1, 1});
  const Loads loads({0, 0, 0, 0});
  std::mt19937_64 random(5);
  std::vector<int> counts(4, 0);
  for (int i = 0; i < 60'000; ++i) ++counts[*choices.Next(random(), loads, kAll)];
  EXPECT_NEAR(counts[0], 30'000, 1000);
}

TEST(TwoChoices, FindsTheOnlyUsablePlaceAndSaysWhereThereIsNone) {
  const TwoChoices choices(Equal(6));
  const Loads loads({1, 1, 1, 1, 1, 1});
  std::mt19937_64 random(6);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(choices.Next(random(), loads, [](size_t place) { return place == 4; }), 4u);
    EXPECT_EQ(choices.Next(random(), loads, [](size_t) { return false; }), std::nullopt);
  }
  EXPECT_EQ(TwoChoices(Equal(1)).Next(random(), loads, kAll), 0u);
}

}  // namespace
}  // namespace gocomet::dataplane
