#include "controlplane/rollout/rollout_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr SteadyTime kStart = SteadyTime(std::chrono::hours(1));

class RolloutMachine : public ::testing::Test {
 protected:
  RolloutMachine() {
    rollout_.id = 4;
    rollout_.service = "shop";
    rollout_.report.lowest_capacity = 3;
    settings_.progress_deadline = seconds(10);
  }
  RolloutVerdict See(uint32_t available, uint32_t outdated, seconds after, uint32_t serving = 3) {
    return ObserveRollout(rollout_, pace_, {3, available, available, outdated, serving}, settings_,
                          kStart + after);
  }
  RolloutRecord rollout_;
  RolloutPace pace_;
  Rollout settings_;
};

TEST_F(RolloutMachine, IsDoneOnceAllThatIsWantedIsAvailableAndNothingOldIsLeft) {
  EXPECT_EQ(See(0, 3, seconds(0)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(See(3, 1, seconds(1)), RolloutVerdict::kGoesOn) << "an old one still drains";
  EXPECT_EQ(See(2, 0, seconds(2)), RolloutVerdict::kGoesOn) << "a new one is missing";
  EXPECT_EQ(See(3, 0, seconds(3)), RolloutVerdict::kDone);
}

TEST_F(RolloutMachine, IsStuckAfterTheDeadlineWithoutProgress) {
  See(0, 3, seconds(0));
  EXPECT_EQ(StuckAt(rollout_, pace_, settings_), kStart + seconds(10));
  EXPECT_EQ(See(0, 3, seconds(9)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(See(0, 3, seconds(10)), RolloutVerdict::kStuck);
}

TEST_F(RolloutMachine, EachNewWorkerAndEachOldOneThatIsGoneBeginsTheDeadlineAnew) {
  See(0, 3, seconds(0));
  EXPECT_EQ(See(1, 3, seconds(9)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(See(1, 2, seconds(18)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(See(1, 2, seconds(27)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(See(1, 2, seconds(28)), RolloutVerdict::kStuck);
}

TEST_F(RolloutMachine, AWorkerThatComesAndGoesIsProgressOnlyOnce) {
  See(0, 3, seconds(0));
  See(1, 3, seconds(5));
  See(0, 3, seconds(6));
  See(1, 3, seconds(7));
  EXPECT_EQ(See(0, 3, seconds(15)), RolloutVerdict::kStuck);
}

TEST_F(RolloutMachine, APausedOneIsNeverStuckAndHasItsWholeDeadlineAfterwards) {
  See(0, 3, seconds(0));
  ASSERT_TRUE(PauseRollout(rollout_, "paused by ada").ok());
  EXPECT_EQ(See(0, 3, seconds(100)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(StuckAt(rollout_, pace_, settings_), std::nullopt);
  ASSERT_TRUE(ResumeRollout(rollout_, pace_, "resumed by ada").ok());
  EXPECT_EQ(See(0, 3, seconds(101)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(See(0, 3, seconds(110)), RolloutVerdict::kGoesOn);
  EXPECT_EQ(See(0, 3, seconds(111)), RolloutVerdict::kStuck);
}

TEST_F(RolloutMachine, RemembersTheLowestCapacityAndHowManyWereReplaced) {
  See(0, 3, seconds(0), 3);
  See(1, 2, seconds(1), 2);
  See(2, 1, seconds(2), 4);
  See(3, 0, seconds(3), 3);
  EXPECT_EQ(rollout_.report.lowest_capacity, 2U);
  EXPECT_EQ(rollout_.report.workers_replaced, 3U);
}

TEST_F(RolloutMachine, AVerbInTheWrongStateSaysWhatToDoInsteadAndChangesNothing) {
  const auto refused = [](const absl::Status& status, const std::string& command) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(MessageOf(status)), HasSubstr(command));
  };
  const RolloutRecord progressing = rollout_;
  refused(ResumeRollout(rollout_, pace_, ""), "rollout status shop");
  refused(CheckUndo(rollout_), "rollout abort shop");
  EXPECT_EQ(rollout_, progressing);

  ASSERT_TRUE(PauseRollout(rollout_, "").ok());
  refused(PauseRollout(rollout_, ""), "rollout resume shop");
  refused(CheckUndo(rollout_), "rollout abort shop");
  EXPECT_TRUE(CheckUnderWay(rollout_).ok());

  EndRollout(rollout_, RolloutState::kDone, "", WallTime(seconds(1)));
  refused(PauseRollout(rollout_, ""), "rollout restart shop");
  refused(ResumeRollout(rollout_, pace_, ""), "rollout restart shop");
  refused(CheckUnderWay(rollout_), "rollout undo shop");
  refused(CheckUndo(rollout_), "nothing before it");
  rollout_.from_revision = 3;
  EXPECT_TRUE(CheckUndo(rollout_).ok());

  rollout_.state = RolloutState::kRolledBack;
  refused(CheckUndo(rollout_), "gocometctl rollback");
}

TEST_F(RolloutMachine, ItsReportReadsAsASentence) {
  rollout_.create_time = WallTime(seconds(100));
  rollout_.report = {1520, 0, 0, 2, 3, milliseconds(40), 3};
  EndRollout(rollout_, RolloutState::kDone, "", WallTime(seconds(102)));
  EXPECT_EQ(ReportText(rollout_),
            "3 workers replaced in 2s; 1520 requests, none answered 5xx by workers, none by "
            "balancers, 2 tried again; lowest capacity 3, longest drain 40ms");
}

}  // namespace
}  // namespace gocomet::controlplane
