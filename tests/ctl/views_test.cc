#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "ctl/views/config_text.h"
#include "ctl/views/describe.h"
#include "ctl/views/overview.h"
#include "ctl/views/tables.h"

namespace gocomet::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

template <typename Message>
Message Make(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

Overview WithWorker(const std::string& status) {
  Overview overview;
  overview.server = "127.0.0.1:7070";
  overview.cluster = Make<v1::ClusterStatus>(
      "version: '1.2.3' runtime: RUNTIME_PROCESS runtime_available: true revision: 4");
  overview.services = Make<v1::ListServicesResponse>("services { spec { replicas: 1 } }");
  overview.workers =
      Make<v1::ListWorkersResponse>("workers { name: 'worker-0' status { " + status + " } }");
  return overview;
}

TEST(WorkerTable, MarksAHeldWorkerBesideItsState) {
  const auto list = Make<v1::ListWorkersResponse>(
      "workers { name: 'worker-0' id: 'abc' status { state: WORKER_STATE_DRAINING held: true"
      " in_flight: 2 create_time { seconds: 1799999990 } } }");
  EXPECT_EQ(WorkerTable(list, kNow, false).Render(Style::Plain()),
            "NAME       ID    STATE           ADDRESS   IN-FLIGHT   FAILURES   AGE\n"
            "worker-0   abc   Draining,Held   -         2           0          10s\n");
}

TEST(StatisticsTable, FoldsRetiredWorkersAndTotalsEverything) {
  const auto statistics = Make<v1::Statistics>(
      "total { successful: 12 failed: 3 duration_microseconds: 1500000 }"
      "workers { worker_name: 'worker-0' worker_id: 'a' report_time { seconds: 1799999999 }"
      "          reported { successful: 9 failed: 1 duration_microseconds: 1000000 }"
      "          durations { count: 10 p50_ms: 90 p99_ms: 300 } }"
      "durations { count: 15 p50_ms: 95 p99_ms: 310 }"
      "workers { worker_name: 'worker-1' worker_id: 'b' retired: true"
      "          reported { successful: 3 failed: 2 duration_microseconds: 500000 } }");
  EXPECT_EQ(StatisticsTable(statistics, kNow, false, false).Render(Style::Plain()),
            "NAME           ID   REQUESTS   OK   FAILED   FAILED%   AVG       P50      P99       "
            "REPORTED\n"
            "worker-0       a    10         9    1        10.0%     100.0ms   90.0ms   300.0ms   "
            "1s ago\n"
            "(retired: 1)   -    5          3    2        40.0%     100.0ms   -        -         "
            "-\n"
            "TOTAL          -    15         12   3        20.0%     100.0ms   95.0ms   310.0ms   "
            "-\n");
  EXPECT_THAT(StatisticsTable(statistics, kNow, true, false).Render(Style::Plain()),
              HasSubstr("worker-1   b    5          3    2        40.0%     100.0ms   -        -   "
                        "      retired"));
}

TEST(Overview, CallsForAttentionOnlyWhereSomethingIsWrong) {
  EXPECT_THAT(ProblemsOf(WithWorker("state: WORKER_STATE_READY"), kNow), IsEmpty());
  EXPECT_THAT(ProblemsOf(WithWorker("state: WORKER_STATE_DRAINING reason: 'scaled down'"), kNow),
              IsEmpty())
      << "a scale-down passes by itself";
  EXPECT_THAT(ProblemsOf(WithWorker("state: WORKER_STATE_BACK_OFF reason: 'exited with status 1'"
                                    " next_start_time { seconds: 1800000005 }"),
                         kNow),
              ElementsAre("worker-0 is BackOff: exited with status 1; next start in 5s"));
  EXPECT_THAT(ProblemsOf(WithWorker("state: WORKER_STATE_DRAINING held: true"
                                    " reason: 'drained by an operator'"),
                         kNow),
              ElementsAre("worker-0 is Draining: drained by an operator"));
}

TEST(Overview, SaysWhatIsUnderWay) {
  const Overview overview = WithWorker("state: WORKER_STATE_STARTING");
  EXPECT_THAT(ChangesOf(overview), ElementsAre("worker-0 is Starting"));
  const std::string text = DrawOverview(overview, kNow, Style::Plain());
  EXPECT_THAT(text, HasSubstr("State:              converging\n"));
  EXPECT_THAT(text, HasSubstr("Under way:\n  worker-0 is Starting\n"));
}

TEST(Overview, SaysThatTheRuntimeDoesNotAnswer) {
  Overview overview = WithWorker("state: WORKER_STATE_READY");
  overview.cluster.set_runtime(v1::RUNTIME_DOCKER);
  overview.cluster.set_runtime_available(false);
  overview.cluster.set_runtime_problem("timed out");
  EXPECT_THAT(ProblemsOf(overview, kNow),
              ElementsAre("the runtime docker does not answer: timed out"));
}

TEST(DescribeWorker, ShowsEverythingKnownAboutAFailure) {
  const auto worker = Make<v1::Worker>(
      "name: 'worker-0' status { state: WORKER_STATE_BACK_OFF failure { cause: 'out of memory'"
      " exit_code: 137 signal: 9 out_of_memory: true last_log_lines: 'a\\033[2Jb' } }");
  const std::string text = DescribeWorker(worker, v1::ListEventsResponse(), kNow, Style::Plain());
  for (const char* part : {"Failure:            out of memory\n", "  Exit code:        137\n",
                           "  Signal:           9\n", "  Out of memory:    yes\n",
                           "  Last log lines:\n    a [2Jb\n", "Events:             none\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(PlanText, NumbersTheSteps) {
  const auto plan = Make<v1::PlanConfigResponse>(
      "base_revision: 3 changes_anything: true changes { field: 'worker' old_value: '3'"
      " new_value: '4' } steps: 'start worker-3 on port 6003'");
  EXPECT_EQ(PlanText(plan),
            "changes to revision 3:\n  worker: 3 -> 4\nsteps:\n  1. start worker-3 on port 6003\n");
  EXPECT_EQ(PlanText(Make<v1::PlanConfigResponse>("base_revision: 3")),
            "no changes: revision 3 says the same\n");
}

}  // namespace
}  // namespace gocomet::ctl
