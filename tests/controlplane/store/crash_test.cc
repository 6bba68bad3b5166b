#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include <gmock/gmock.h>

#include "common/base/unique_fd.h"
#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::ElementsAre;

class CrashTest : public StoreFixture {
 protected:
  // Writes for ever, one worker's total, event and revision per round, and reports each round that
  // was acknowledged. Never returns.
  [[noreturn]] void WriteUntilKilled(uint64_t round, int acknowledged) {
    auto opened = OpenStore(path_);
    if (!opened.ok()) ::_exit(1);
    for (;; ++round) {
      StoreWrite write;
      write.worker_totals.push_back(TotalsOf("a", 1, round, round, 0, round));
      write.events.push_back(EventOf(round));
      if (round % 5 == 0) write.revisions.push_back(RevisionOf(round / 5));
      Answer answer;
      write.done = answer.Callback();
      opened->store->Write(std::move(write));
      opened->store->Flush();
      if (!answer.Await().ok()) ::_exit(2);
      if (::write(acknowledged, &round, sizeof(round)) != sizeof(round)) ::_exit(3);
    }
  }
};

TEST_F(CrashTest, EveryAcknowledgedRowSurvivesAKill) {
  std::mt19937 random(7);
  uint64_t last_acknowledged = 0;
  for (int crash = 0; crash < 50; ++crash) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    UniqueFd from(ends[0]), to(ends[1]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) WriteUntilKilled(last_acknowledged + 2, to.get());
    to.Reset();
    // Sometimes before its first commit, mostly between two.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int ended = 0;
    ASSERT_EQ(::waitpid(child, &ended, 0), child);
    ASSERT_TRUE(WIFSIGNALED(ended)) << "the child ended by itself: " << WEXITSTATUS(ended);
    uint64_t round = 0;
    while (::read(from.get(), &round, sizeof(round)) == sizeof(round)) last_acknowledged = round;

    const OpenedStore opened = MustOpen();
    ASSERT_TRUE(opened.notices.empty()) << opened.notices[0];
    const StoredState& state = opened.state;
    if (last_acknowledged > 0) {
      ASSERT_EQ(state.worker_totals.size(), 1);
      ASSERT_GE(state.worker_totals[0].sequence, last_acknowledged);
      ASSERT_EQ(state.worker_totals[0].sequence, state.last_event_sequence)
          << "half a transaction is in the file";
    }
    // What was committed and not told counts as done.
    last_acknowledged = std::max(last_acknowledged, state.last_event_sequence);
    ASSERT_THAT(Query("PRAGMA integrity_check", 1), ElementsAre("ok"));
  }
  EXPECT_GT(last_acknowledged, 50) << "the children hardly wrote anything";
}

}  // namespace
}  // namespace gocomet::controlplane
