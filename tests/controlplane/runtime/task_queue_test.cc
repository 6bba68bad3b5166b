#include "controlplane/runtime/task_queue.h"

#include <atomic>
#include <future>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

TEST(TaskQueue, OneThreadRunsTasksInTheirOrder) {
  std::vector<int> ran;
  TaskQueue queue(1, 100);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(queue.TryPost([&ran, i] { ran.push_back(i); }));
  queue.Drain();
  ASSERT_EQ(ran.size(), 50u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ran[static_cast<size_t>(i)], i);
}

TEST(TaskQueue, SeveralThreadsRunTasksAtOnce) {
  TaskQueue queue(2, 100);
  std::promise<void> first;
  std::promise<void> second;
  queue.Post([&] {
    first.set_value();
    EXPECT_EQ(second.get_future().wait_for(kPatience), std::future_status::ready);
  });
  queue.Post([&] {
    EXPECT_EQ(first.get_future().wait_for(kPatience), std::future_status::ready);
    second.set_value();
  });
  queue.Drain();
}

TEST(TaskQueue, RefusesRequestsOnceTooManyWaitAndStillTakesItsOwnTasks) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::promise<void> blocked;
  std::atomic<int> ran{0};
  TaskQueue queue(1, 2);
  queue.Post([&] {
    blocked.set_value();
    released.wait();
  });
  blocked.get_future().wait();
  EXPECT_TRUE(queue.TryPost([&] { ++ran; }));
  EXPECT_TRUE(queue.TryPost([&] { ++ran; }));
  EXPECT_FALSE(queue.TryPost([&] { ++ran; }));
  queue.Post([&] { ++ran; });
  release.set_value();
  queue.Drain();
  EXPECT_EQ(ran, 3);
}

TEST(TaskQueue, ADelayedTaskRunsAtItsTime) {
  TaskQueue queue(1, 10);
  std::promise<SteadyTime> ran;
  const SteadyTime due = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
  queue.PostAt(due, [&] { ran.set_value(std::chrono::steady_clock::now()); });
  auto future = ran.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_GE(future.get(), due);
}

TEST(TaskQueue, DrainingRunsDelayedTasksAtOnceAndWhatTheyPost) {
  TaskQueue queue(1, 10);
  std::atomic<int> ran{0};
  queue.PostIn(std::chrono::hours(1), [&] {
    EXPECT_TRUE(queue.draining());
    ++ran;
    queue.Post([&] { ++ran; });
    queue.PostIn(std::chrono::hours(1), [&] { ++ran; });
  });
  queue.Drain();
  EXPECT_EQ(ran, 3);
  EXPECT_FALSE(queue.TryPost([] {}));
}

}  // namespace
}  // namespace gocomet::controlplane
