#include <gmock/gmock.h>

#include "controlplane/store/rows.h"
#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

RolloutRecord RolloutOf(uint64_t id, const std::string& service = "worker") {
  RolloutRecord rollout;
  rollout.id = id;
  rollout.service = service;
  rollout.from_revision = 1;
  rollout.to_revision = 2;
  rollout.good_revision = 3;
  rollout.generation = 4;
  rollout.good_generation = 5;
  rollout.cause = RolloutCause::kUndo;
  rollout.author = "ada";
  rollout.reason = "because";
  rollout.state = RolloutState::kRolledBack;
  rollout.message = "in words";
  rollout.create_time = WallTime(std::chrono::microseconds(1'700'000'000'123'456));
  rollout.end_time = WallTime(std::chrono::microseconds(1'700'000'001'123'456));
  rollout.template_hash = "abc";
  rollout.accepted_hashes = {"def", "012"};
  rollout.wanted = 6;
  rollout.updated = 7;
  rollout.available = 8;
  rollout.outdated = 9;
  rollout.report = {10, 11, 12, 13, 14, std::chrono::milliseconds(15), 16};
  return rollout;
}

class RolloutsTest : public StoreFixture {
 protected:
  void WriteAndWait(std::vector<RolloutRecord> rollouts) {
    OpenedStore opened = MustOpen();
    Answer answer;
    StoreWrite write;
    write.rollouts = std::move(rollouts);
    write.done = answer.Callback();
    opened.store->Write(std::move(write));
    opened.store->Flush();
    ASSERT_TRUE(answer.Await().ok());
  }
};

TEST_F(RolloutsTest, AreThereAfterReopeningWithEachOfTheirFields) {
  WriteAndWait({RolloutOf(1)});
  EXPECT_THAT(MustOpen().state.rollouts, ElementsAre(RolloutOf(1)));
}

TEST_F(RolloutsTest, ALaterRowOfTheSameIdTakesTheFirstOnesPlace) {
  RolloutRecord later = RolloutOf(1);
  later.state = RolloutState::kDone;
  later.accepted_hashes.clear();
  WriteAndWait({RolloutOf(1), RolloutOf(2), later});
  EXPECT_THAT(MustOpen().state.rollouts, ElementsAre(later, RolloutOf(2)));
}

TEST_F(RolloutsTest, OldOnesAreForgottenButForTheNewestOfEachService) {
  std::vector<RolloutRecord> rollouts = {RolloutOf(1, "shop"), RolloutOf(2, "shop")};
  for (uint64_t id = 3; id <= kRolloutsKept + 10; ++id) rollouts.push_back(RolloutOf(id));
  WriteAndWait(rollouts);
  const auto kept = MustOpen().state.rollouts;
  ASSERT_THAT(kept, SizeIs(kRolloutsKept + 1));
  EXPECT_EQ(kept[0].id, 2U) << "the newest of its service";
  EXPECT_EQ(kept[1].id, 11U);
}

}  // namespace
}  // namespace gocomet::controlplane
