#include <gmock/gmock.h>

#include "controlplane/store/rows.h"
#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class StoreTest : public StoreFixture {
 protected:
  static absl::Status WriteAndWait(Store& store, StoreWrite write) {
    Answer answer;
    write.done = answer.Callback();
    store.Write(std::move(write));
    store.Flush();
    return answer.Await();
  }
};

TEST_F(StoreTest, ANewFileHoldsNothing) {
  const OpenedStore opened = MustOpen();
  EXPECT_THAT(opened.notices, IsEmpty());
  EXPECT_THAT(opened.state.revisions, IsEmpty());
  EXPECT_THAT(opened.state.worker_totals, IsEmpty());
  EXPECT_THAT(opened.state.balanced_totals, IsEmpty());
  EXPECT_THAT(opened.state.events, IsEmpty());
  EXPECT_EQ(opened.state.last_event_sequence, 0);
}

TEST_F(StoreTest, EverythingWrittenIsThereAfterReopening) {
  BalancedTotals balanced{
      "balancer-0", ~uint64_t{0}, "aaaaaaaaaaaa", 7, 10, {1, 2, 3, 4, 5}, 11, 12, 13, 14, 15, 16};
  WorkerTotals totals = TotalsOf("aaaaaaaaaaaa", ~uint64_t{0} - 1, 3, 20, 2, 1234);
  totals.report_time = WallTime(std::chrono::microseconds(1'700'000'000'123'456));
  {
    OpenedStore opened = MustOpen();
    ASSERT_TRUE(WriteAndWait(*opened.store, {{RevisionOf(1), RevisionOf(2)},
                                             {totals},
                                             {balanced},
                                             {EventOf(1), EventOf(2)},
                                             nullptr})
                    .ok());
    EXPECT_EQ(opened.store->queued(), 0);
    EXPECT_TRUE(opened.store->problem().ok());
  }
  const StoredState state = MustOpen().state;

  ASSERT_THAT(state.revisions, SizeIs(2));
  const Revision& revision = state.revisions[1];
  EXPECT_EQ(revision.number, 2);
  EXPECT_EQ(revision.create_time, RevisionOf(2).create_time);
  EXPECT_EQ(revision.author, "ada");
  EXPECT_EQ(revision.reason, "because");
  EXPECT_EQ(revision.source, "apply");
  EXPECT_EQ(revision.content_hash, "hash2");
  EXPECT_EQ(revision.config_yaml, "worker: 2\n");

  ASSERT_THAT(state.worker_totals, SizeIs(1));
  EXPECT_EQ(state.worker_totals[0].worker_id, "aaaaaaaaaaaa");
  EXPECT_EQ(state.worker_totals[0].incarnation, totals.incarnation);
  EXPECT_EQ(state.worker_totals[0].worker_name, "worker-0");
  EXPECT_EQ(state.worker_totals[0].service, "worker");
  EXPECT_EQ(state.worker_totals[0].sequence, 3);
  EXPECT_EQ(state.worker_totals[0].counters, totals.counters);
  EXPECT_EQ(state.worker_totals[0].report_time, totals.report_time);

  ASSERT_THAT(state.balanced_totals, SizeIs(1));
  const BalancedTotals& seen = state.balanced_totals[0];
  EXPECT_EQ(seen.balancer, "balancer-0");
  EXPECT_EQ(seen.balancer_incarnation, balanced.balancer_incarnation);
  EXPECT_EQ(seen.worker_id, "aaaaaaaaaaaa");
  EXPECT_EQ(seen.worker_incarnation, 7);
  EXPECT_EQ(seen.answered, 10);
  EXPECT_THAT(seen.by_status_class, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(seen.connect_errors, 11);
  EXPECT_EQ(seen.resets, 12);
  EXPECT_EQ(seen.timeouts, 13);
  EXPECT_EQ(seen.retried, 14);
  EXPECT_EQ(seen.bytes_to_worker, 15);
  EXPECT_EQ(seen.bytes_from_worker, 16);

  ASSERT_THAT(state.events, SizeIs(2));
  EXPECT_EQ(state.events[1].sequence, 2);
  EXPECT_EQ(state.events[1].time, EventOf(2).time);
  EXPECT_EQ(state.events[1].severity, Severity::kWarning);
  EXPECT_EQ(state.events[1].subject, "worker/worker-0");
  EXPECT_EQ(state.events[1].kind, "WorkerReady");
  EXPECT_EQ(state.events[1].message, "message 2");
  EXPECT_EQ(state.last_event_sequence, 2);
}

TEST_F(StoreTest, ALaterRowReplacesTheSameWorkersAndKeepsItsPlace) {
  {
    OpenedStore opened = MustOpen();
    for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
      ASSERT_TRUE(WriteAndWait(*opened.store, {{},
                                               {TotalsOf("first", 1, sequence, sequence * 10, 0, 0),
                                                TotalsOf("second", 1, sequence, sequence, 0, 0)},
                                               {},
                                               {},
                                               nullptr})
                      .ok());
    }
    WorkerTotals nameless = TotalsOf("first", 1, 4, 40, 0, 0);
    nameless.worker_name.clear();
    nameless.service.clear();
    ASSERT_TRUE(WriteAndWait(*opened.store, {{}, {nameless}, {}, {}, nullptr}).ok());
  }
  const StoredState state = MustOpen().state;
  ASSERT_THAT(state.worker_totals, SizeIs(2));
  EXPECT_EQ(state.worker_totals[0].worker_id, "first");
  EXPECT_EQ(state.worker_totals[0].counters.successful, 40);
  EXPECT_EQ(state.worker_totals[0].worker_name, "worker-0") << "a known name was forgotten";
  EXPECT_EQ(state.worker_totals[1].counters.successful, 3);
}

TEST_F(StoreTest, AViewShowsOneRowPerWorkerOverItsIncarnations) {
  OpenedStore opened = MustOpen();
  ASSERT_TRUE(WriteAndWait(*opened.store,
                           {{},
                            {TotalsOf("zzz", 1, 1, 8, 2, 5'000'000), TotalsOf("aaa", 1, 1, 0, 0, 0),
                             TotalsOf("zzz", 2, 5, 10, 0, 1'000'000)},
                            {},
                            {},
                            nullptr})
                  .ok());
  EXPECT_THAT(
      Query("SELECT worker_id, timestamp, successful_requests, failed_requests, "
            "total_requests, average_response_time FROM worker_stats",
            6),
      ElementsAre("zzz|2023-11-14 22:13:25|18|2|20|300.0", "aaa|2023-11-14 22:13:21|0|0|0|0.0"))
      << "while the control plane has the file open";
}

TEST_F(StoreTest, WritesAreCommittedWithoutAFlush) {
  OpenedStore opened = MustOpen();
  Answer answer;
  opened.store->Write({{}, {TotalsOf("a", 1, 1, 1, 0, 0)}, {}, {}, answer.Callback()});
  EXPECT_TRUE(answer.Await().ok());
}

TEST_F(StoreTest, AnEmptyWriteIsToldAfterTheOnesBeforeIt) {
  OpenedStore opened = MustOpen();
  std::mutex mutex;
  std::vector<int> order;
  Answer last;
  for (int i = 0; i < 3; ++i) {
    StoreWrite write;
    if (i == 0) write.events.push_back(EventOf(1));
    write.done = [&, i, told = last.Callback()](const absl::Status& status) {
      {
        const std::lock_guard hold(mutex);
        order.push_back(i);
      }
      if (i == 2) told(status);
    };
    opened.store->Write(std::move(write));
  }
  ASSERT_TRUE(last.Await().ok());
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST_F(StoreTest, ManyWritesShareFewTransactions) {
  OpenedStore opened = MustOpen();
  constexpr int kWrites = 20'000;
  Answer last;
  std::atomic<int> told = 0;
  for (int i = 1; i <= kWrites; ++i) {
    StoreWrite write;
    write.worker_totals.push_back(
        TotalsOf("w" + std::to_string(i % 1000), 1, static_cast<uint64_t>(i), 1, 0, 0));
    write.done = [&told, callback = i == kWrites ? last.Callback() : nullptr](absl::Status status) {
      ++told;
      if (callback) callback(std::move(status));
    };
    opened.store->Write(std::move(write));
  }
  ASSERT_TRUE(last.Await().ok());
  EXPECT_EQ(told, kWrites);
  EXPECT_EQ(opened.store->queued(), 0);
  EXPECT_THAT(Query("SELECT count(*) FROM worker_stats", 1), ElementsAre("1000"));
}

TEST_F(StoreTest, ClosingWritesWhatIsQueued) {
  Answer answer;
  {
    OpenedStore opened = MustOpen();
    opened.store->Write({{}, {}, {}, {EventOf(1)}, answer.Callback()});
  }
  EXPECT_EQ(answer.calls(), 1);
  EXPECT_TRUE(answer.Await().ok());
  EXPECT_EQ(MustOpen().state.last_event_sequence, 1);
}

TEST_F(StoreTest, OnlyTheNewestEventsAreKept) {
  {
    OpenedStore opened = MustOpen();
    for (uint64_t begin = 1; begin <= kEventsKept + 2000; begin += 1000) {
      StoreWrite write;
      for (uint64_t i = begin; i < begin + 1000; ++i) write.events.push_back(EventOf(i));
      ASSERT_TRUE(WriteAndWait(*opened.store, std::move(write)).ok());
    }
  }
  EXPECT_THAT(Query("SELECT count(*), min(sequence), max(sequence) FROM event", 3),
              ElementsAre("10000|2001|12000"));
  const StoredState state = MustOpen().state;
  EXPECT_THAT(state.events, SizeIs(kEventsLoaded));
  EXPECT_EQ(state.events.front().sequence, 11'001);
  EXPECT_EQ(state.last_event_sequence, 12'000);
}

TEST_F(StoreTest, TakesWritesFromManyThreads) {
  OpenedStore opened = MustOpen();
  constexpr int kThreads = 4, kEach = 500;
  std::atomic<int> told = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 1; i <= kEach; ++i) {
        StoreWrite write;
        write.worker_totals.push_back(TotalsOf("w" + std::to_string(t), 1, static_cast<uint64_t>(i),
                                               static_cast<uint64_t>(i), 0, 0));
        write.done = [&told](const absl::Status& status) { told += status.ok() ? 1 : 0; };
        opened.store->Write(std::move(write));
        if (i % 100 == 0) opened.store->Flush();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  opened.store.reset();
  EXPECT_EQ(told, kThreads * kEach);
  EXPECT_THAT(Query("SELECT sum(successful_requests) FROM worker_stats", 1), ElementsAre("2000"));
}

}  // namespace
}  // namespace gocomet::controlplane
