// Rollouts through the API. In this world no balancer ever speaks, so that nothing finishes
// draining: a rollout stays under way until somebody ends it.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RolloutApi : public ::testing::Test {
 protected:
  template <typename Request>
  using Verb = grpc::Status (v1::RolloutService::Stub::*)(grpc::ClientContext*, const Request&,
                                                          v1::Rollout*);

  template <typename Request>
  grpc::Status Ask(Verb<Request> verb, v1::Rollout* rollout) {
    Call call;
    Request request;
    request.set_author("ada");
    request.set_reason("because");
    return (world_.Stub<v1::RolloutService>().get()->*verb)(&call, request, rollout);
  }
  grpc::Status Pause() { return Ask(&v1::RolloutService::Stub::PauseRollout, &rollout_); }
  grpc::Status Resume() { return Ask(&v1::RolloutService::Stub::ResumeRollout, &rollout_); }
  grpc::Status Abort() { return Ask(&v1::RolloutService::Stub::AbortRollout, &rollout_); }
  grpc::Status Undo() { return Ask(&v1::RolloutService::Stub::UndoRollout, &rollout_); }

  grpc::Status Restart() {
    Call call;
    v1::RestartServiceRequest request;
    request.set_author("ada");
    v1::RestartServiceResponse response;
    const grpc::Status status =
        world_.Stub<v1::ServiceService>()->RestartService(&call, request, &response);
    rollout_ = response.rollout();
    return status;
  }
  v1::ApplyConfigResponse Apply(const std::string& text) {
    Call call;
    v1::ApplyConfigRequest request;
    request.set_config_yaml(text);
    request.set_author("ada");
    v1::ApplyConfigResponse response;
    const grpc::Status status =
        world_.Stub<v1::ConfigService>()->ApplyConfig(&call, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  v1::Rollout Get(uint64_t id) {
    Call call;
    v1::GetRolloutRequest request;
    request.set_id(id);
    v1::Rollout rollout;
    const grpc::Status status =
        world_.Stub<v1::RolloutService>()->GetRollout(&call, request, &rollout);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return rollout;
  }
  // `ID CAUSE STATE`, newest first.
  std::vector<std::string> List() {
    Call call;
    v1::ListRolloutsResponse response;
    const grpc::Status status =
        world_.Stub<v1::RolloutService>()->ListRollouts(&call, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<std::string> lines;
    for (const v1::Rollout& rollout : response.rollouts()) {
      lines.push_back(Cat(rollout.id(), " ", v1::RolloutCause_Name(rollout.cause()).substr(14), " ",
                          v1::RolloutState_Name(rollout.state()).substr(14)));
    }
    return lines;
  }

  // Another address of the workers' ports, so that each is replaced.
  static constexpr char kMoved[] = "worker-bind: 127.0.0.2\n";
  static constexpr char kMovedAgain[] = "worker-bind: 127.0.0.3\n";

  RpcWorld world_;
  v1::Rollout rollout_;
};

TEST_F(RolloutApi, ARestartIsOne) {
  ASSERT_TRUE(Restart().ok());
  EXPECT_EQ(rollout_.id(), 1U);
  EXPECT_EQ(rollout_.service(), "worker");
  EXPECT_EQ(rollout_.cause(), v1::ROLLOUT_CAUSE_RESTART);
  EXPECT_EQ(rollout_.state(), v1::ROLLOUT_STATE_PROGRESSING);
  EXPECT_EQ(rollout_.author(), "ada");
  EXPECT_EQ(rollout_.to_revision(), 1U);
  EXPECT_THAT(List(), ElementsAre("1 RESTART PROGRESSING"));
}

TEST_F(RolloutApi, AConfigThatReplacesNoWorkerBeginsNone) {
  EXPECT_EQ(Apply("failure: 50\nworker: 4\n").rollouts_size(), 0);
  EXPECT_THAT(List(), ElementsAre());
}

TEST_F(RolloutApi, AConfigThatChangesWhatWorkersRunAnswersWithTheRollout) {
  const auto applied = Apply(kMoved);
  ASSERT_EQ(applied.rollouts_size(), 1);
  EXPECT_EQ(applied.rollouts(0).from_revision(), 1U);
  EXPECT_EQ(applied.rollouts(0).to_revision(), 2U);
  EXPECT_EQ(applied.rollouts(0).cause(), v1::ROLLOUT_CAUSE_APPLY);
}

TEST_F(RolloutApi, ANewerChangeSupersedesTheOneUnderWay) {
  Apply(kMoved);
  Apply(kMovedAgain);
  EXPECT_THAT(List(), ElementsAre("2 APPLY PROGRESSING", "1 APPLY SUPERSEDED"));
  EXPECT_THAT(Get(1).message(), HasSubstr("rollout 2"));
  EXPECT_TRUE(Get(1).has_end_time());
}

TEST_F(RolloutApi, ArePausedAndResumed) {
  ASSERT_TRUE(Restart().ok());
  ASSERT_TRUE(Pause().ok());
  EXPECT_EQ(rollout_.state(), v1::ROLLOUT_STATE_PAUSED);
  EXPECT_EQ(rollout_.message(), "paused by ada: because");
  EXPECT_THAT(Restart(), RefusedAt(StatusCode::FAILED_PRECONDITION, "name"));
  EXPECT_THAT(Pause(), RefusedAt(StatusCode::FAILED_PRECONDITION, "service"));
  ASSERT_TRUE(Resume().ok());
  EXPECT_EQ(rollout_.state(), v1::ROLLOUT_STATE_PROGRESSING);
  EXPECT_THAT(Resume(), RefusedAt(StatusCode::FAILED_PRECONDITION, "service"));
}

TEST_F(RolloutApi, AnAbortedRestartLeavesTheWorkersAsTheyAre) {
  ASSERT_TRUE(Restart().ok());
  ASSERT_TRUE(Abort().ok());
  EXPECT_EQ(rollout_.state(), v1::ROLLOUT_STATE_ABORTED);
  world_.OnOwner([](Cluster& cluster) {
    EXPECT_EQ(cluster.desired_state().newest().number, 1U);
    for (const Worker& worker : cluster.workers().workers()) {
      EXPECT_TRUE(worker.stop_wanted || cluster.IsUpToDate(worker)) << worker.name();
    }
  });
  EXPECT_THAT(Abort(), RefusedAt(StatusCode::FAILED_PRECONDITION, "service"));
  EXPECT_THAT(Undo(), RefusedAt(StatusCode::FAILED_PRECONDITION, "service"));
}

TEST_F(RolloutApi, AnAbortedChangeGoesBackAsANewRevision) {
  Apply(kMoved);
  Apply("worker-bind: 127.0.0.2\nworker: 5\n");
  ASSERT_TRUE(Abort().ok());
  EXPECT_EQ(rollout_.id(), 1U);
  EXPECT_EQ(rollout_.state(), v1::ROLLOUT_STATE_ABORTED);
  world_.OnOwner([](Cluster& cluster) {
    const Revision& newest = cluster.desired_state().newest();
    EXPECT_EQ(newest.number, 4U);
    EXPECT_EQ(newest.source, "rollback");
    EXPECT_EQ(newest.author, "ada");
    const Service& service = cluster.desired_state().config().services[0];
    EXPECT_EQ(service.bind_address, "127.0.0.1");
    EXPECT_EQ(service.replicas, 5U) << "what was scaled meanwhile stays";
  });
}

TEST_F(RolloutApi, TheWayBackOfAChangeThatWasSupersededIsTheLastThatWasDone) {
  Apply(kMoved);
  Apply(kMovedAgain);
  ASSERT_TRUE(Abort().ok());
  world_.OnOwner([](Cluster& cluster) {
    EXPECT_EQ(cluster.desired_state().config().services[0].bind_address, "127.0.0.1");
  });
}

TEST_F(RolloutApi, OneUnderWayIsAbortedNotUndone) {
  Apply(kMoved);
  const grpc::Status refused = Undo();
  EXPECT_THAT(refused, RefusedAt(StatusCode::FAILED_PRECONDITION, "service"));
  EXPECT_THAT(refused.error_message(), HasSubstr("gocometctl rollout abort worker"));
}

TEST_F(RolloutApi, AWatchBeginsWithTheNewestAndGoesOnWithEachChange) {
  Apply(kMoved);
  Call call;
  v1::WatchRolloutsRequest request;
  request.set_id(1);
  const auto stub = world_.Stub<v1::RolloutService>();
  const auto reader = stub->WatchRollouts(&call, request);
  v1::Rollout seen;
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.id(), 1U);
  ASSERT_TRUE(Pause().ok());
  while (seen.state() != v1::ROLLOUT_STATE_PAUSED) ASSERT_TRUE(reader->Read(&seen));
  call.TryCancel();
  reader->Finish();
}

TEST_F(RolloutApi, OneServiceHasNeverTwoUnderWay) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Restart().ok());
    Apply(i % 2 == 0 ? kMoved : kMovedAgain);
  }
  int active = 0;
  for (const std::string& line : List()) active += line.ends_with("PROGRESSING") ? 1 : 0;
  EXPECT_EQ(active, 1);
}

}  // namespace
}  // namespace gocomet::controlplane
