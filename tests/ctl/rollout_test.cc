// Rollouts on the command line: what is asked, what is shown, and the exit codes.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "gocomet/v1/cluster.pb.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/rollouts.pb.h"
#include "gocomet/v1/workers.pb.h"
#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// `more` is put over it.
v1::Rollout RolloutIn(const std::string& state, const std::string& more = "") {
  auto rollout = Make<v1::Rollout>(
      "id: 4 service: 'shop' from_revision: 1 to_revision: 2 cause: ROLLOUT_CAUSE_APPLY"
      " author: 'ada' state: ROLLOUT_STATE_" +
      state +
      " create_time { seconds: 1799999990 }"
      " progress { wanted: 3 available: 1 updated: 1 outdated: 2 }");
  rollout.MergeFrom(Make<v1::Rollout>(more));
  return rollout;
}

v1::Rollout Done() {
  v1::Rollout rollout =
      RolloutIn("DONE",
                "end_time { seconds: 1799999992 nanos: 5999999 }"
                " progress { available: 3 updated: 3 }"
                " report { requests: 1520 retried: 2 lowest_capacity: 3 workers_replaced: 3"
                " longest_drain { nanos: 40000000 }"
                " p99_before { nanos: 12300000 } p99_after { nanos: 4000000 } }");
  rollout.mutable_progress()->set_outdated(0);
  return rollout;
}

class RolloutTest : public CtlTest {
 protected:
  RolloutTest() {
    v1::RestartServiceResponse restarted;
    *restarted.mutable_rollout() = RolloutIn("PROGRESSING");
    fake_.Script("ServiceService/RestartService", restarted);
    for (const char* method : {"PauseRollout", "ResumeRollout", "AbortRollout", "UndoRollout"}) {
      fake_.Script(std::string("RolloutService/") + method, RolloutIn("PROGRESSING"));
    }
  }
  void Watch(const std::vector<v1::Rollout>& rollouts) {
    std::vector<const google::protobuf::Message*> messages;
    for (const v1::Rollout& rollout : rollouts) messages.push_back(&rollout);
    Answer answer = Answer::Stream(messages);
    answer.stays_open = true;
    fake_.Script("RolloutService/WatchRollouts", {answer});
  }
};

TEST_F(RolloutTest, RestartAsksForTheServiceAndReturnsAtOnce) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"rollout", "restart", "shop", "--reason", "rust"},
        {"rollout", "restart", "service/shop", "--reason", "rust"}}) {
    const Outcome run = Ctl(command);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, "rollout 4 of service/shop: 1 of 3 replaced, 2 old workers left\n");
  }
  const auto asked = fake_.Requests<v1::RestartServiceRequest>("ServiceService/RestartService");
  ASSERT_EQ(asked.size(), 2U);
  for (const v1::RestartServiceRequest& request : asked) {
    EXPECT_EQ(request.name(), "shop");
    EXPECT_EQ(request.author(), "ada");
    EXPECT_EQ(request.reason(), "rust");
  }
}

TEST_F(RolloutTest, WaitShowsEachStepOnceAndThenTheReport) {
  Watch({RolloutIn("PROGRESSING"), RolloutIn("PROGRESSING"),
         RolloutIn("PROGRESSING", "progress { available: 2 outdated: 1 }"), Done()});
  const Outcome run = Ctl({"rollout", "restart", "shop", "--wait"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out,
            "rollout 4 of service/shop: 1 of 3 replaced, 2 old workers left\n"
            "rollout 4 of service/shop: 2 of 3 replaced, 1 old worker left\n"
            "rollout 4 of service/shop: done, 3 of 3 replaced\n"
            "rollout 4 of service/shop done after 2s5ms, 3 workers replaced\n"
            "  requests:         1520 answered, none with 5xx by workers; none with 5xx by "
            "balancers\n"
            "  tried again:      2\n"
            "  lowest capacity:  3 workers\n"
            "  longest drain:    40ms\n"
            "  p99:              12.3ms in the minute before, 4.0ms of the new workers\n");
  EXPECT_EQ(run.err, "");
}

TEST_F(RolloutTest, WhateverIsNotDoneEndsWith7AndSaysWhy) {
  for (const auto& [state, words] :
       std::vector<std::pair<std::string, std::string>>{{"ROLLED_BACK", "rolled back"},
                                                        {"FAILED", "failed"},
                                                        {"ABORTED", "aborted"},
                                                        {"SUPERSEDED", "superseded"},
                                                        {"PAUSED", "paused"}}) {
    Watch({RolloutIn(state, "message: 'exit 127'")});
    const Outcome run = Ctl({"rollout", "restart", "shop", "--wait"});
    EXPECT_EQ(run.exit_code, 7) << state;
    EXPECT_EQ(run.err, "gocometctl: rollout 4 of service/shop is " + words + ": exit 127\n");
  }
}

TEST_F(RolloutTest, WaitInJsonPrintsTheEndAlone) {
  Watch({RolloutIn("PROGRESSING"), Done()});
  const Outcome run = Ctl({"rollout", "restart", "shop", "--wait", "-o", "json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(nlohmann::json::parse(run.out)["state"], "ROLLOUT_STATE_DONE");
}

TEST_F(RolloutTest, ATimeoutSaysThatTheRolloutGoesOn) {
  Watch({RolloutIn("PROGRESSING")});
  const Outcome run = Ctl({"rollout", "restart", "shop", "--wait", "--timeout", "500ms"});
  EXPECT_EQ(run.exit_code, 6);
  EXPECT_THAT(run.err, HasSubstr("still under way after 500ms (1 of 3 replaced"));
  EXPECT_THAT(run.err, HasSubstr("and goes on"));
}

TEST_F(RolloutTest, CtrlCEndsTheWaitAlone) {
  Watch({RolloutIn("PROGRESSING")});
  const Outcome run =
      Ctl({"rollout", "restart", "shop", "--wait"}, {.interrupt_after = "1 of 3 replaced"});
  EXPECT_EQ(run.exit_code, 130);
}

TEST_F(RolloutTest, AStreamThatBreaksIsTakenUpAgain) {
  const v1::Rollout progressing = RolloutIn("PROGRESSING");
  const v1::Rollout done = Done();
  Answer broken = Answer::Stream({&progressing});
  broken.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  Answer whole = Answer::Stream({&done});
  whole.stays_open = true;
  fake_.Script("RolloutService/WatchRollouts", {broken, whole});
  fake_.Script("RolloutService/GetRollout", progressing);
  const Outcome run = Ctl({"rollout", "restart", "shop", "--wait"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("done after"));
}

TEST_F(RolloutTest, AVerbThatTheStateForbidsIsAConflict) {
  fake_.Script("RolloutService/PauseRollout",
               {Answer::Error(grpc::StatusCode::FAILED_PRECONDITION, "rollout 4 is done already")});
  const Outcome run = Ctl({"rollout", "pause", "shop"});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.err, "gocometctl: rollout 4 is done already\n");
}

TEST_F(RolloutTest, EachVerbNamesTheServiceAndWhoAsks) {
  for (const char* verb : {"pause", "resume", "abort", "undo"}) {
    const Outcome run = Ctl({"rollout", verb, "shop", "--reason", "because"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_THAT(run.out, StartsWith("rollout 4 of service/shop"));
  }
  const auto undone = fake_.Requests<v1::UndoRolloutRequest>("RolloutService/UndoRollout");
  ASSERT_EQ(undone.size(), 1U);
  EXPECT_EQ(undone[0].service(), "shop");
  EXPECT_EQ(undone[0].author(), "ada");
  EXPECT_EQ(undone[0].reason(), "because");
  EXPECT_EQ(Ctl({"rollout", "undo", "worker/shop"}).exit_code, 2) << "no worker has rollouts";
}

TEST_F(RolloutTest, AbortWaitsForTheWayBack) {
  v1::Rollout aborted = RolloutIn("ABORTED");
  aborted.set_id(3);
  fake_.Script("RolloutService/AbortRollout", aborted);
  fake_.Script("RolloutService/GetRollout", RolloutIn("PROGRESSING"));
  Watch({Done()});
  const Outcome run = Ctl({"rollout", "abort", "shop", "--wait"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, StartsWith("rollout 3 of service/shop: aborted"));
  EXPECT_THAT(run.out, HasSubstr("rollout 4 of service/shop done"));
}

TEST_F(RolloutTest, ListShowsTheNewestFirstAndHistoryIsTheSame) {
  v1::ListRolloutsResponse list;
  *list.add_rollouts() = Done();
  fake_.Script("RolloutService/ListRollouts", list);
  const Outcome run = Ctl({"rollout", "list"});
  EXPECT_EQ(
      run.out,
      "ID   SERVICE   STATE   CAUSE   REVISION   REPLACED   TOOK    REQUESTS   FAILED   AGE\n"
      "4    shop      done    Apply   1 -> 2     3/3        2s5ms   1520       0        10s\n");
  EXPECT_EQ(Ctl({"rollout", "history"}).out, run.out);
  EXPECT_EQ(Ctl({"rollout", "list", "-o", "name"}).out, "rollout/4\n");
}

TEST_F(RolloutTest, StatusDescribesTheNewest) {
  fake_.Script("RolloutService/GetRollout", Done());
  const Outcome run = Ctl({"rollout", "status", "shop"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("State:              done\n"));
  EXPECT_THAT(run.out, HasSubstr("Revision:           1 -> 2\n"));
  EXPECT_THAT(run.out, HasSubstr("Lowest capacity:    3 workers\n"));
}

class ApplyAndWait : public RolloutTest {
 protected:
  void ApplyBegins(const std::string& rollouts) {
    auto applied = Make<v1::ApplyConfigResponse>("revision { number: 7 } changed: true");
    if (!rollouts.empty()) *applied.add_rollouts() = RolloutIn("PROGRESSING");
    fake_.Script("ConfigService/ApplyConfig", applied);
  }
};

TEST_F(ApplyAndWait, WaitsForTheRolloutAndThenForAllThatIsWanted) {
  ApplyBegins("one");
  Watch({Done()});
  fake_.Script("ClusterService/GetStatus",
               {Answer::With(Make<v1::ClusterStatus>("revision: 7")),
                Answer::With(Make<v1::ClusterStatus>("revision: 7 converged: true"))});
  const Outcome run = Ctl({"apply", "-f", "-", "--wait"}, {.in = "worker: 4\n"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, StartsWith("revision/7 applied\n"));
  EXPECT_THAT(run.out, HasSubstr("done after"));
}

TEST_F(ApplyAndWait, ARolloutThatIsRolledBackEndsWith7) {
  ApplyBegins("one");
  Watch({RolloutIn("ROLLED_BACK", "message: 'exit 127'")});
  const Outcome run = Ctl({"apply", "-f", "-", "--wait"}, {.in = "worker: 4\n"});
  EXPECT_EQ(run.exit_code, 7);
  EXPECT_EQ(run.err, "gocometctl: rollout 4 of service/shop is rolled back: exit 127\n");
}

TEST_F(ApplyAndWait, AConfigThatIsRefusedIsStillAnInvalidConfig) {
  fake_.Script("ConfigService/ApplyConfig",
               {Answer::Error(grpc::StatusCode::INVALID_ARGUMENT, "1 problem")});
  EXPECT_EQ(Ctl({"apply", "-f", "-", "--wait"}, {.in = "x: 4\n"}).exit_code, 5);
}

TEST_F(ApplyAndWait, WithoutAFinalStateATimeoutSaysWhereToLook) {
  ApplyBegins("");
  fake_.Script("ClusterService/GetStatus", Make<v1::ClusterStatus>("revision: 7"));
  const Outcome run =
      Ctl({"apply", "-f", "-", "--wait", "--timeout", "500ms"}, {.in = "worker: 4\n"});
  EXPECT_EQ(run.exit_code, 6);
  EXPECT_THAT(run.err, HasSubstr("gocometctl status"));
}

}  // namespace
}  // namespace gocomet::ctl
