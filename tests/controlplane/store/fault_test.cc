#include <sys/resource.h>

#include <csignal>

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using namespace std::chrono_literals;

class FaultTest : public StoreFixture {
 protected:
  // Waits until the store has failed to write.
  static absl::Status AwaitProblem(const Store& store) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (store.problem().ok() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
    return store.problem();
  }
};

// While it lives no file can grow, as on a full disk.
class FullDisk {
 public:
  FullDisk() {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    rlimit limit = old_limit_;
    limit.rlim_cur = 1;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_limit_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_limit_{};
  void (*old_handler_)(int) = nullptr;
};

TEST_F(FaultTest, WritesDuringAForeignLockAreKeptAndWrittenLater) {
  OpenedStore opened = MustOpen();
  Database other = MustConnect();
  ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").ok());
  Answer revision, totals;
  opened.store->Write({{RevisionOf(1)}, {}, {}, {}, revision.Callback()});
  EXPECT_THAT(std::string(MessageOf(AwaitProblem(*opened.store))), HasSubstr("holds a lock"));
  opened.store->Write({{}, {TotalsOf("a", 1, 1, 5, 0, 0)}, {}, {}, totals.Callback()});
  EXPECT_EQ(opened.store->queued(), 2);
  EXPECT_EQ(revision.calls(), 0);

  ASSERT_TRUE(other.Execute("COMMIT").ok());
  EXPECT_TRUE(revision.Await().ok());
  EXPECT_TRUE(totals.Await().ok());
  EXPECT_TRUE(opened.store->problem().ok());
  EXPECT_EQ(opened.store->queued(), 0);
  EXPECT_THAT(Query("SELECT total_requests FROM worker_stats", 1), ElementsAre("5"));
}

TEST_F(FaultTest, WritesToAFullDiskAreKeptAndWrittenLater) {
  OpenedStore opened = MustOpen();
  Answer first, second;
  {
    const FullDisk full;
    opened.store->Write({{}, {TotalsOf("a", 1, 1, 5, 0, 0)}, {}, {EventOf(1)}, first.Callback()});
    opened.store->Flush();
    EXPECT_FALSE(AwaitProblem(*opened.store).ok());
    opened.store->Write({{}, {TotalsOf("a", 1, 2, 9, 0, 0)}, {}, {EventOf(2)}, second.Callback()});
    EXPECT_EQ(first.calls() + second.calls(), 0) << "nobody may be told before it is durable";
  }
  EXPECT_TRUE(first.Await().ok());
  EXPECT_TRUE(second.Await().ok());
  EXPECT_THAT(Query("SELECT total_requests FROM worker_stats", 1), ElementsAre("9"));
  EXPECT_THAT(Query("SELECT count(*) FROM event", 1), ElementsAre("2"));
}

TEST_F(FaultTest, WhoeverWaitsIsToldWhereAStoreClosesInVain) {
  Answer answer;
  Database other = MustConnect();
  {
    OpenedStore opened = MustOpen();
    ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").ok());
    opened.store->Write({{}, {}, {}, {EventOf(1)}, answer.Callback()});
  }
  EXPECT_EQ(answer.calls(), 1);
  EXPECT_EQ(answer.Await().code(), absl::StatusCode::kUnavailable);
}

TEST_F(FaultTest, AFullQueueSaysSoAndStillKeepsTheNewestTotals) {
  OpenedStore opened = MustOpen();
  Database other = MustConnect();
  ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").ok());
  std::atomic<size_t> told_ok = 0;
  for (size_t i = 1; i <= kQueuedWritesMax; ++i) {
    StoreWrite write;
    write.worker_totals.push_back(TotalsOf("a", 1, i, i, 0, 0));
    write.done = [&told_ok](const absl::Status& status) { told_ok += status.ok() ? 1 : 0; };
    opened.store->Write(std::move(write));
  }
  EXPECT_EQ(opened.store->queued(), kQueuedWritesMax);
  Answer totals, revision;
  opened.store->Write({{}, {TotalsOf("a", 1, 999'999, 999'999, 0, 0)}, {}, {}, totals.Callback()});
  opened.store->Write({{RevisionOf(1)}, {}, {}, {}, revision.Callback()});
  EXPECT_EQ(totals.Await().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(revision.Await().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(opened.store->queued(), kQueuedWritesMax);

  ASSERT_TRUE(other.Execute("COMMIT").ok());
  opened.store.reset();
  EXPECT_EQ(told_ok, kQueuedWritesMax);
  EXPECT_THAT(Query("SELECT total_requests FROM worker_stats", 1), ElementsAre("999999"));
  EXPECT_THAT(Query("SELECT count(*) FROM revision", 1), ElementsAre("0"));
}

TEST_F(FaultTest, AForeignLockAtTheStartIsAnErrorThatNamesIt) {
  MustOpen();
  Database other = MustConnect();
  ASSERT_TRUE(other.Execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").ok());
  const auto opened = OpenStore(path_);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(MessageOf(opened.status())), HasSubstr("another program holds a lock"));
}

}  // namespace
}  // namespace gocomet::controlplane
