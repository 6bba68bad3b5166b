#include "dataplane/observe/record_ring.h"

#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace gocomet::dataplane {
namespace {

bool Push(RecordRing& ring, std::string_view record) {
  const std::string_view parts[] = {record.substr(0, record.size() / 3),
                                    record.substr(record.size() / 3)};
  return ring.TryPush(parts);
}

TEST(RecordRing, GivesRecordsBackInOrder) {
  RecordRing ring(64);
  EXPECT_TRUE(Push(ring, "one"));
  EXPECT_TRUE(Push(ring, ""));
  EXPECT_TRUE(Push(ring, "three"));
  std::string record;
  for (const char* expected : {"one", "", "three"}) {
    EXPECT_TRUE(ring.Pop(record));
    EXPECT_EQ(record, expected);
  }
  EXPECT_FALSE(ring.Pop(record));
}

TEST(RecordRing, TakesWhatFitsAndNothingMore) {
  RecordRing ring(64);
  EXPECT_FALSE(Push(ring, std::string(57, 'x'))) << "its length needs room too";
  EXPECT_TRUE(Push(ring, std::string(56, 'x')));
  EXPECT_FALSE(Push(ring, ""));
  std::string record;
  EXPECT_TRUE(ring.Pop(record));
  EXPECT_EQ(record, std::string(56, 'x'));
  EXPECT_TRUE(Push(ring, "y"));
}

TEST(RecordRing, AgreesWithAQueueThroughAnyPushesAndPops) {
  std::mt19937 random(1);
  RecordRing ring(256);
  std::deque<std::string> queue;
  size_t waiting = 0;
  std::string record;
  for (int step = 0; step < 100'000; ++step) {
    if (random() % 2 == 0) {
      const std::string pushed(random() % 80, static_cast<char>('a' + step % 26));
      const bool fits = waiting + 8 + pushed.size() <= 256;
      ASSERT_EQ(Push(ring, pushed), fits);
      if (!fits) continue;
      queue.push_back(pushed);
      waiting += 8 + pushed.size();
    } else {
      ASSERT_EQ(ring.Pop(record), !queue.empty());
      if (queue.empty()) continue;
      ASSERT_EQ(record, queue.front());
      waiting -= 8 + record.size();
      queue.pop_front();
    }
    ASSERT_EQ(ring.waiting(), waiting);
  }
}

TEST(RecordRing, PassesRecordsBetweenThreadsUnharmed) {
  constexpr int kRecords = 200'000;
  RecordRing ring(1024);
  std::thread writer([&ring] {
    for (int i = 0; i < kRecords; ++i) {
      const std::string record = std::to_string(i) + std::string(static_cast<size_t>(i % 50), '.');
      while (!Push(ring, record)) std::this_thread::yield();
    }
  });
  std::string record;
  for (int i = 0; i < kRecords; ++i) {
    while (!ring.Pop(record)) std::this_thread::yield();
    const std::string expected = std::to_string(i) + std::string(static_cast<size_t>(i % 50), '.');
    if (record != expected) ADD_FAILURE() << record << " instead of " << expected;
  }
  writer.join();
  EXPECT_EQ(ring.waiting(), 0u);
}

}  // namespace
}  // namespace gocomet::dataplane
