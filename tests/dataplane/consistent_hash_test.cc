#include "dataplane/balance/consistent_hash.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "dataplane/balance/settings.h"
#include "dataplane/balance/stable_hash.h"

namespace gocomet::dataplane {
namespace {

constexpr auto kAll = [](size_t) { return true; };

// Workers with the given numbers, each of weight 1.
ConsistentHash Workers(const std::vector<int>& numbers) {
  std::vector<uint64_t> identities;
  for (const int number : numbers) identities.push_back(StableHash(Cat("worker-", number)));
  return ConsistentHash(identities, std::vector<uint32_t>(numbers.size(), 1));
}

std::vector<int> Numbers(int count) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

double ShareThatMoves(ConsistentHash& before, const std::vector<int>& before_numbers,
                      ConsistentHash& after, const std::vector<int>& after_numbers) {
  constexpr int kKeys = 50'000;
  int moved = 0;
  for (int key = 0; key < kKeys; ++key) {
    const uint64_t hash = StableHash(Cat("key-", key));
    if (before_numbers[*before.Next(hash, kAll)] != after_numbers[*after.Next(hash, kAll)]) ++moved;
  }
  return moved / static_cast<double>(kKeys);
}

TEST(StableHash, IsTheSameInEveryProcessAndVersion) {
  EXPECT_EQ(StableHash(""), 0xefd01f60ba992926ULL);
  EXPECT_EQ(StableHash("127.0.0.1"), StableHash(std::string("127.0.0.1")));
  EXPECT_EQ(StableHash("a"), Mix(0xaf63dc4c8601ec8cULL)) << "FNV-1a's published value for `a`";
}

TEST(ConsistentHash, GivesAKeyTheSamePlaceWhateverTheOrderOfTheWorkers) {
  const std::vector<int> one = {0, 1, 2, 3};
  const std::vector<int> other = {3, 1, 0, 2};
  ConsistentHash first = Workers(one);
  ConsistentHash second = Workers(other);
  EXPECT_EQ(ShareThatMoves(first, one, second, other), 0);
}

TEST(ConsistentHash, MovesOnlyTheKeysOfAWorkerThatGoes) {
  for (const int count : {3, 10, 100}) {
    const std::vector<int> all = Numbers(count);
    std::vector<int> fewer = all;
    fewer.erase(fewer.begin() + 1);
    ConsistentHash before = Workers(all);
    ConsistentHash after = Workers(fewer);
    for (int key = 0; key < 20'000; ++key) {
      const uint64_t hash = StableHash(Cat("key-", key));
      const int had = all[*before.Next(hash, kAll)];
      const int has = fewer[*after.Next(hash, kAll)];
      if (had == 1) continue;
      ASSERT_EQ(had, has) << "key " << key << " of " << count;
    }
    EXPECT_LT(ShareThatMoves(before, all, after, fewer), 1.3 / count) << count;
  }
}

TEST(ConsistentHash, MovesAboutOneShareOfTheKeysToAWorkerThatComes) {
  for (const int count : {3, 10, 100}) {
    const std::vector<int> all = Numbers(count);
    const std::vector<int> more = Numbers(count + 1);
    ConsistentHash before = Workers(all);
    ConsistentHash after = Workers(more);
    const double moved = ShareThatMoves(before, all, after, more);
    EXPECT_LT(moved, 1.3 / (count + 1)) << count;
    EXPECT_GT(moved, 0.7 / (count + 1)) << count;
  }
}

TEST(ConsistentHash, SharesTheSlotsWithinTheBoundsOfChance) {
  for (const int count : {2, 3, 10, 100}) {
    const ConsistentHash workers = Workers(Numbers(count));
    std::vector<double> slots(static_cast<size_t>(count), 0);
    for (const uint32_t place : workers.slots()) ++slots[place];
    const double mean = static_cast<double>(ConsistentHash::kSlots) / count;
    // Four standard deviations of a binomial share; the identities are fixed, and so is the result.
    const double bound = 4 * std::sqrt(mean);
    for (const double share : slots) EXPECT_NEAR(share, mean, bound) << count << " workers";
  }
}

TEST(ConsistentHash, SpreadsClientsAddressesToo) {
  ConsistentHash workers = Workers(Numbers(4));
  std::vector<int> counts(4, 0);
  for (int i = 0; i < 4096; ++i) {
    ++counts[*workers.Next(StableHash(Cat("10.0.", i / 256, ".", i % 256)), kAll)];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1024, 120);
}

TEST(ConsistentHash, GivesPlacesSlotsInProportionToTheirWeights) {
  const std::vector<uint64_t> identities = {StableHash("a"), StableHash("b"), StableHash("c")};
  const ConsistentHash workers(identities, std::vector<uint32_t>{4, 1, 1});
  std::vector<double> slots(3, 0);
  for (const uint32_t place : workers.slots()) ++slots[place];
  EXPECT_NEAR(slots[0] / ConsistentHash::kSlots, 4 / 6.0, 0.01);
  EXPECT_NEAR(slots[1] / ConsistentHash::kSlots, 1 / 6.0, 0.01);
}

TEST(ConsistentHash, MovesOnlyToThePlaceWhoseWeightGrew) {
  const std::vector<uint64_t> identities = {StableHash("a"), StableHash("b"), StableHash("c")};
  const ConsistentHash before(identities, std::vector<uint32_t>{2, 2, 2});
  const ConsistentHash after(identities, std::vector<uint32_t>{2, 3, 2});
  for (size_t slot = 0; slot < ConsistentHash::kSlots; ++slot) {
    if (before.slots()[slot] == after.slots()[slot]) continue;
    ASSERT_EQ(after.slots()[slot], 1u) << slot;
  }
}

TEST(ConsistentHash, SendsTheKeysOfAnUnusablePlaceWhereTheyWouldGoWithoutIt) {
  const std::vector<int> all = Numbers(5);
  const std::vector<int> fewer = {0, 1, 3, 4};
  ConsistentHash before = Workers(all);
  ConsistentHash after = Workers(fewer);
  for (int key = 0; key < 5000; ++key) {
    const uint64_t hash = StableHash(Cat("key-", key));
    const auto place = before.Next(hash, [](size_t p) { return p != 2; });
    ASSERT_EQ(all[*place], fewer[*after.Next(hash, kAll)]) << "key " << key;
  }
  EXPECT_EQ(before.Next(StableHash("key"), [](size_t) { return false; }), std::nullopt);
}

TEST(ConsistentHash, TakesPlacesInTurnForRequestsWithoutAKey) {
  ConsistentHash workers = Workers(Numbers(3));
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(workers.Next(std::nullopt, kAll), i % 3);
}

http::Fields FieldsOf(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  http::Fields fields;
  for (const auto& [name, value] : pairs) fields.Add(name, value);
  return fields;
}

TEST(HashOn, ReadsTheHeaderItNamesWithoutRegardToCase) {
  const HashOn on = *HashOn::Parse("header:X-User");
  EXPECT_EQ(on.KeyOf(FieldsOf({{"host", "h"}, {"x-user", "ann"}}), "ip"), StableHash("ann"));
  EXPECT_EQ(on.KeyOf(FieldsOf({{"host", "h"}}), "ip"), std::nullopt);
}

TEST(HashOn, ReadsTheCookieItNamesAndNoneThatOnlyEndsLikeIt) {
  const HashOn on = *HashOn::Parse("cookie:id");
  EXPECT_EQ(on.KeyOf(FieldsOf({{"Cookie", "xid=1; id=two; id=3"}}), "ip"), StableHash("two"));
  EXPECT_EQ(on.KeyOf(FieldsOf({{"Cookie", "a=1"}, {"cookie", "id=z"}}), "ip"), StableHash("z"));
  EXPECT_EQ(on.KeyOf(FieldsOf({{"Cookie", "xid=1; idx=2;id"}}), "ip"), std::nullopt);
  EXPECT_EQ(on.KeyOf(FieldsOf({{"Cookie", "ID=1"}}), "ip"), std::nullopt);
}

TEST(HashOn, TakesTheClientsAddress) {
  EXPECT_EQ(HashOn::Parse("client-address")->KeyOf(FieldsOf({}), "10.0.0.1"),
            StableHash("10.0.0.1"));
}

TEST(HashOn, IsWrittenAsItIsRead) {
  for (const char* text : {"header:x-user", "cookie:id", "client-address"}) {
    EXPECT_EQ(HashOn::Parse(text)->ToString(), text);
  }
}

TEST(HashOn, RefusesWhatNamesNothing) {
  for (const char* text : {"", "header", "header:", "cookie:a b", "ip", "client-address:x"}) {
    EXPECT_FALSE(HashOn::Parse(text).ok()) << text;
  }
}

TEST(Algorithm, IsWrittenAsItIsRead) {
  for (const char* name :
       {"round-robin", "weighted", "least-requests", "two-choices", "consistent-hash"}) {
    EXPECT_EQ(NameOf(*ParseAlgorithm(name)), name);
  }
  EXPECT_EQ(MessageOf(ParseAlgorithm("random").status()),
            "`random` is none of round-robin, weighted, least-requests, two-choices, "
            "consistent-hash");
}

}  // namespace
}  // namespace gocomet::dataplane
