// The commands that change something: what they send, and what they say of the answer.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/errors.pb.h"
#include "gocomet/v1/workers.pb.h"
#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;

class ChangeTest : public CtlTest {
 protected:
  ChangeTest() {
    fake_.Script(
        "ServiceService/ScaleService",
        Make<v1::ScaleServiceResponse>("service { name: 'worker' } revision { number: 7 }"));
    fake_.Script("ConfigService/ApplyConfig",
                 Make<v1::ApplyConfigResponse>("revision { number: 7 } changed: true"));
    fake_.Script("ConfigService/RollbackConfig",
                 Make<v1::ApplyConfigResponse>("revision { number: 8 } changed: true"));
  }

  std::vector<v1::ScaleServiceRequest> Scaled() {
    return fake_.Requests<v1::ScaleServiceRequest>("ServiceService/ScaleService");
  }
  std::vector<v1::ApplyConfigRequest> Applied() {
    return fake_.Requests<v1::ApplyConfigRequest>("ConfigService/ApplyConfig");
  }

  static std::string Details(const v1::Violations& violations) {
    v1::ErrorStatus status;
    status.set_code(grpc::StatusCode::INVALID_ARGUMENT);
    status.add_details()->PackFrom(violations);
    return status.SerializeAsString();
  }
};

TEST_F(ChangeTest, ScaleTakesANumberForTheOnlyService) {
  const Outcome run = Ctl({"scale", "6", "--reason", "sale"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "service/worker scaled to 6 (revision 7)\n");
  ASSERT_EQ(Scaled().size(), 1U);
  EXPECT_EQ(Scaled()[0].name(), "");
  EXPECT_EQ(Scaled()[0].replicas(), 6U);
  EXPECT_EQ(Scaled()[0].author(), "ada");
  EXPECT_EQ(Scaled()[0].reason(), "sale");
}

TEST_F(ChangeTest, ScaleTakesANameInEveryWayPeopleWriteIt) {
  const std::vector<std::vector<std::string>> ways = {{"scale", "shop", "6"},
                                                      {"scale", "shop=6"},
                                                      {"scale", "service/shop", "6"},
                                                      {"scale", "svc/shop=6"},
                                                      {"scale", "shop", "--replicas", "6"},
                                                      {"scale", "service/shop", "--replicas=6"}};
  for (const auto& way : ways) {
    EXPECT_EQ(Ctl(way).exit_code, 0) << testing::PrintToString(way);
  }
  ASSERT_EQ(Scaled().size(), ways.size());
  for (const v1::ScaleServiceRequest& request : Scaled()) {
    EXPECT_EQ(request.name(), "shop");
    EXPECT_EQ(request.replicas(), 6U);
  }
}

TEST_F(ChangeTest, ScaleSendsNothingThatItDoesNotUnderstand) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"scale"},
                                                  {"scale", "x"},
                                                  {"scale", "-1"},
                                                  {"scale", "1.5"},
                                                  {"scale", "4294967296"},
                                                  {"scale", "worker/a", "3"},
                                                  {"scale", "a", "b", "3"},
                                                  {"scale", "a", "3", "--replicas", "3"},
                                                  {"scale", "3x"}}) {
    const Outcome run = Ctl(command);
    EXPECT_EQ(run.exit_code, 2) << testing::PrintToString(command);
    EXPECT_THAT(run.err, testing::StartsWith("gocometctl: "));
  }
  EXPECT_THAT(Scaled(), IsEmpty());
}

TEST_F(ChangeTest, AStaleBaseRevisionIsAConflict) {
  fake_.Script("ServiceService/ScaleService",
               {Answer::Error(grpc::StatusCode::ABORTED, "revision 3 by bob is the newest now")});
  const Outcome run = Ctl({"scale", "6", "--base-revision", "2"});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, "gocometctl: revision 3 by bob is the newest now\n");
  EXPECT_EQ(Scaled()[0].base_revision(), 2U);
}

TEST_F(ChangeTest, AFieldThatTheControlPlaneRefusesIsAUsageError) {
  fake_.Script(
      "ServiceService/ScaleService",
      {Answer::Error(grpc::StatusCode::INVALID_ARGUMENT, "the request is not valid",
                     Details(Make<v1::Violations>("violations { field: 'replicas'"
                                                  " message: 'must be 0 to 1000, is 5000' }")))});
  const Outcome run = Ctl({"scale", "5000"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err,
            "gocometctl: the request is not valid\n  replicas: must be 0 to 1000, is 5000\n");
}

TEST_F(ChangeTest, ApplySendsTheTextOfAFile) {
  const std::string path = testing::TempDir() + "gocomet-apply.yaml";
  std::ofstream(path) << "worker: 4\n";
  const Outcome run = Ctl({"apply", "-f", path, "--base-revision", "6"});
  std::filesystem::remove(path);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "revision/7 applied\n");
  ASSERT_EQ(Applied().size(), 1U);
  EXPECT_EQ(Applied()[0].config_yaml(), "worker: 4\n");
  EXPECT_EQ(Applied()[0].file_name(), path);
  EXPECT_EQ(Applied()[0].base_revision(), 6U);
  EXPECT_EQ(Applied()[0].author(), "ada");
}

TEST_F(ChangeTest, ApplyReadsStandardInput) {
  const Outcome run = Ctl({"apply", "-f", "-"}, {.in = "worker: 4\n"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(Applied()[0].config_yaml(), "worker: 4\n");
  EXPECT_EQ(Applied()[0].file_name(), "stdin");
}

TEST_F(ChangeTest, ApplySaysWhenNothingChanged) {
  fake_.Script("ConfigService/ApplyConfig",
               Make<v1::ApplyConfigResponse>("revision { number: 7 }"));
  EXPECT_EQ(Ctl({"apply", "-f", "-"}).out, "revision/7 unchanged\n");
}

TEST_F(ChangeTest, ApplyShowsEachProblemAtItsPlace) {
  fake_.Script("ConfigService/ApplyConfig",
               {Answer::Error(grpc::StatusCode::INVALID_ARGUMENT, "2 problems",
                              Details(Make<v1::Violations>(
                                  "violations { field: 'worker'"
                                  " message: 'stdin:1:9: worker: expected a whole number' }"
                                  "violations { field: 'foo'"
                                  " message: 'stdin:2:1: foo: unknown key' }")))});
  const Outcome run = Ctl({"apply", "-f", "-"}, {.in = "worker: x\nfoo: 1\n"});
  EXPECT_EQ(run.exit_code, 5);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "stdin:1:9: worker: expected a whole number\n"
            "stdin:2:1: foo: unknown key\n"
            "gocometctl: stdin has 2 problems; nothing changed\n");
}

TEST_F(ChangeTest, ApplyReportsManyProblemsWhole) {
  v1::Violations violations;
  for (int i = 0; i < 2000; ++i) {
    v1::FieldViolation& violation = *violations.add_violations();
    violation.set_message("stdin:" + std::to_string(i + 1) + ":1: unknown key");
  }
  fake_.Script("ConfigService/ApplyConfig",
               {Answer::Error(grpc::StatusCode::INVALID_ARGUMENT, "many", Details(violations))});
  const Outcome run = Ctl({"apply", "-f", "-"});
  EXPECT_EQ(run.exit_code, 5);
  EXPECT_THAT(run.err, HasSubstr("stdin:2000:1: unknown key\n"));
  EXPECT_THAT(run.err, HasSubstr("stdin has 2000 problems; nothing changed\n"));
}

TEST_F(ChangeTest, ApplySendsNoTextThatIsNone) {
  EXPECT_EQ(Ctl({"apply", "-f", "-"}, {.in = "worker: \xFF\n"}).exit_code, 5);
  EXPECT_EQ(Ctl({"apply", "-f", "-"}, {.in = std::string((1 << 20) + 1, 'a')}).exit_code, 5);
  const Outcome missing = Ctl({"apply", "-f", "/nonexistent/c.yaml"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("/nonexistent/c.yaml: No such file"));
  EXPECT_THAT(Applied(), IsEmpty());
}

TEST_F(ChangeTest, ValidateAndPlanChangeNothing) {
  fake_.Script("ConfigService/ValidateConfig", v1::ValidateConfigResponse());
  fake_.Script("ConfigService/PlanConfig",
               Make<v1::PlanConfigResponse>("base_revision: 3 changes_anything: true"
                                            " changes { field: 'worker' old_value: '3'"
                                            " new_value: '4' }"));
  EXPECT_EQ(Ctl({"validate", "-f", "-"}).out, "stdin is valid\n");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"plan", "-f", "-"}, {"apply", "--dry-run", "-f", "-"}}) {
    EXPECT_EQ(Ctl(command).out, "changes to revision 3:\n  worker: 3 -> 4\n");
  }
  EXPECT_THAT(Applied(), IsEmpty());
}

TEST_F(ChangeTest, ValidateShowsProblemsToPeopleAndScripts) {
  fake_.Script("ConfigService/ValidateConfig",
               Make<v1::ValidateConfigResponse>("problems { file: 'stdin' line: 1 column: 9"
                                                " key: 'worker' message: 'expected a number' }"));
  const Outcome table = Ctl({"validate", "-f", "-"});
  EXPECT_EQ(table.exit_code, 5);
  EXPECT_EQ(table.err,
            "stdin:1:9: worker: expected a number\n"
            "gocometctl: stdin has 1 problem; nothing changed\n");
  const Outcome json = Ctl({"validate", "-f", "-", "-o", "json"});
  EXPECT_EQ(json.exit_code, 5);
  EXPECT_EQ(Json::parse(json.out)["problems"][0]["line"], 1);
}

TEST_F(ChangeTest, PlanAgainstAStaleBaseRevisionIsAConflict) {
  fake_.Script("ConfigService/PlanConfig", Make<v1::PlanConfigResponse>("base_revision: 3"));
  const Outcome run = Ctl({"apply", "--dry-run", "-f", "-", "--base-revision", "2"});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(run.err, HasSubstr("base revision 2 is stale; the newest is 3"));
}

TEST_F(ChangeTest, RollbackTakesANumber) {
  EXPECT_EQ(Ctl({"rollback", "5"}).out, "revision/8 applied\n");
  EXPECT_EQ(Ctl({"rollback", "x"}).exit_code, 2);
  EXPECT_EQ(Ctl({"rollback", "0"}).exit_code, 2);
  const auto asked = fake_.Requests<v1::RollbackConfigRequest>("ConfigService/RollbackConfig");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].revision(), 5U);
}

TEST_F(ChangeTest, ConfigShowPrintsATextThatApplyReads) {
  fake_.Script("ConfigService/GetConfig",
               Make<v1::GetConfigResponse>("revision { number: 3 } config_yaml: 'worker: 3'"));
  EXPECT_EQ(Ctl({"config", "show"}).out, "worker: 3\n");
  EXPECT_EQ(Ctl({"config", "view", "--revision", "3"}).out, "worker: 3\n");
  const auto asked = fake_.Requests<v1::GetConfigRequest>("ConfigService/GetConfig");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].revision(), 0U);
  EXPECT_EQ(asked[1].revision(), 3U);
}

TEST_F(ChangeTest, ConfigShowRenderedPrintsTheLongForm) {
  fake_.Script("ConfigService/GetConfig",
               Make<v1::GetConfigResponse>("revision { number: 3 } config_yaml: 'worker: 3'"
                                           " rendered_yaml: 'pool: 2'"));
  EXPECT_EQ(Ctl({"config", "show", "--rendered", "--revision", "3"}).out, "pool: 2\n");
  const auto asked = fake_.Requests<v1::GetConfigRequest>("ConfigService/GetConfig");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_TRUE(asked[0].rendered());
  EXPECT_EQ(asked[0].revision(), 3U);
}

TEST_F(ChangeTest, ConfigShowRenderedSaysWhereThereIsNoLongForm) {
  fake_.Script("ConfigService/GetConfig",
               Make<v1::GetConfigResponse>("revision { number: 3 } config_yaml: 'wroker: 3'"));
  const Outcome run = Ctl({"config", "show", "--rendered"});
  EXPECT_NE(run.exit_code, 0);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, HasSubstr("revision 3 has no long form"));
}

TEST_F(ChangeTest, ConfigHistoryListsRevisions) {
  fake_.Script("ConfigService/ListRevisions",
               Make<v1::ListRevisionsResponse>("revisions { number: 2 author: 'ada' source: 'apply'"
                                               " reason: 'lunch' } revisions { number: 1 }"));
  const Outcome run = Ctl({"config", "history"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("lunch"));
  EXPECT_EQ(Ctl({"config", "history", "-o", "name"}).out, "revision/2\nrevision/1\n");
}

TEST_F(ChangeTest, ConfigDiffComparesRevisions) {
  fake_.Script("ConfigService/DiffRevisions",
               Make<v1::DiffRevisionsResponse>("from { number: 2 } to { number: 5 }"
                                               " changes { field: 'worker' old_value: '3'"
                                               " new_value: '4' }"));
  EXPECT_EQ(Ctl({"config", "diff", "2", "5"}).out,
            "changes from revision 2 to revision 5:\n  worker: 3 -> 4\n");
  EXPECT_EQ(Ctl({"config", "diff", "2"}).exit_code, 0);
  const auto asked = fake_.Requests<v1::DiffRevisionsRequest>("ConfigService/DiffRevisions");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].from_revision(), 2U);
  EXPECT_EQ(asked[0].to_revision(), 5U);
  EXPECT_EQ(asked[1].to_revision(), 0U);
}

TEST_F(ChangeTest, ConfigDiffComparesAFileWithTheNewestRevision) {
  fake_.Script("ConfigService/PlanConfig",
               Make<v1::PlanConfigResponse>("base_revision: 3 changes_anything: true"
                                            " changes { field: 'worker' old_value: '3'"
                                            " new_value: '4' } steps: 'start worker-3'"));
  EXPECT_EQ(Ctl({"config", "diff", "-f", "-"}).out,
            "changes from revision 3 to stdin:\n  worker: 3 -> 4\n");
  EXPECT_EQ(Ctl({"config", "diff"}).exit_code, 2);
  EXPECT_EQ(Ctl({"config", "diff", "1", "-f", "-"}).exit_code, 2);
  EXPECT_EQ(Ctl({"config", "diff", "x"}).exit_code, 2);
}

TEST_F(ChangeTest, ConfigRollbackIsRollback) {
  EXPECT_EQ(Ctl({"config", "rollback", "5", "--reason", "oops"}).out, "revision/8 applied\n");
  const auto asked = fake_.Requests<v1::RollbackConfigRequest>("ConfigService/RollbackConfig");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].revision(), 5U);
  EXPECT_EQ(asked[0].reason(), "oops");
}

TEST_F(ChangeTest, ConfigWatchPrintsEachRevision) {
  const auto first = Make<v1::Revision>("number: 1 author: 'ada'");
  const auto second = Make<v1::Revision>("number: 2 author: 'bob'");
  fake_.Script("ConfigService/WatchConfig", {Answer::Stream({&first, &second})});
  EXPECT_EQ(Ctl({"config", "watch", "-o", "name"}).out, "revision/1\nrevision/2\n");
}

TEST_F(ChangeTest, WarningsAreShownBesideTheAnswer) {
  const std::string warning =
      "warnings { file: 'stdin' line: 2 column: 5 key: 'routes[1]'"
      " message: 'gets no requests' }";
  fake_.Script("ConfigService/ValidateConfig", Make<v1::ValidateConfigResponse>(warning));
  fake_.Script("ConfigService/PlanConfig", Make<v1::PlanConfigResponse>(warning));
  fake_.Script("ConfigService/ApplyConfig", Make<v1::ApplyConfigResponse>(warning));
  for (const char* verb : {"validate", "plan", "apply"}) {
    const Outcome run = Ctl({verb, "-f", "-"});
    EXPECT_EQ(run.exit_code, 0) << verb;
    EXPECT_EQ(run.err, "warning: stdin:2:5: routes[1]: gets no requests\n") << verb;
  }
}

TEST_F(ChangeTest, PlanSaysWhatClientsNotice) {
  fake_.Script("ConfigService/PlanConfig",
               Make<v1::PlanConfigResponse>(
                   "base_revision: 3 changes_anything: true steps: 'replace web-0'"
                   " services { service: 'web' serving: 3 lowest_serving: 2 first_port: 8000"
                   " last_port: 8003 } client_connections_affected: 7"));
  EXPECT_EQ(Ctl({"plan", "-f", "-"}).out,
            "changes to revision 3:\nsteps:\n  1. replace web-0\nmeanwhile:\n"
            "  web: 3 serving, never below 2; ports 8000 to 8003\n"
            "  connections of clients that are closed once they are answered: 7\n");
}

TEST_F(ChangeTest, DrainAndUndrainTakeNamesAsListsPrintThem) {
  fake_.Script("WorkerService/DrainWorker",
               Make<v1::Worker>("name: 'worker-0' status { in_flight: 3 }"));
  fake_.Script("WorkerService/UndrainWorker",
               Make<v1::Worker>("name: 'worker-0' status { state: WORKER_STATE_READY }"));
  EXPECT_EQ(Ctl({"drain", "worker/worker-0"}).out, "worker/worker-0 draining (3 in flight)\n");
  EXPECT_EQ(Ctl({"undrain", "worker-0"}).out, "worker/worker-0 undrained (Ready)\n");
  EXPECT_EQ(fake_.Requests<v1::DrainWorkerRequest>("WorkerService/DrainWorker")[0].id(),
            "worker-0");
}

TEST_F(ChangeTest, RestartTakesWorkersAndServices) {
  fake_.Script("WorkerService/RestartWorker", Make<v1::Worker>("name: 'worker-0'"));
  fake_.Script(
      "ServiceService/RestartService",
      Make<v1::RestartServiceResponse>("service { name: 'worker' status { workers: 3 } }"));
  for (const std::vector<std::string>& command : {std::vector<std::string>{"restart", "worker-0"},
                                                  {"restart", "worker", "worker-0"},
                                                  {"restart", "worker/worker-0"}}) {
    EXPECT_EQ(Ctl(command).out, "worker/worker-0 restarting\n") << testing::PrintToString(command);
  }
  EXPECT_EQ(Ctl({"restart", "service", "worker"}).out, "service/worker restarting 3 workers\n");
  EXPECT_EQ(Ctl({"restart", "lb", "balancer-0"}).exit_code, 2);
  EXPECT_EQ(Ctl({"restart", "worker"}).exit_code, 2);
}

}  // namespace
}  // namespace gocomet::ctl
