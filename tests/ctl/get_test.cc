// What the commands that only look print, in every form.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/cluster.pb.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/statistics.pb.h"
#include "gocomet/v1/workers.pb.h"
#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

class GetTest : public CtlTest {
 protected:
  GetTest() {
    fake_.Script("WorkerService/ListWorkers",
                 Make<v1::ListWorkersResponse>(
                     "workers { id: 'aaaaaaaaaaaa' name: 'worker-0' service: 'worker'"
                     " spec { runtime: RUNTIME_PROCESS port: 6000 image: 'demo' }"
                     " status { state: WORKER_STATE_READY address: '127.0.0.1:6000' in_flight: 2"
                     " pid: 77 up_to_date: true create_time { seconds: 1799999800 } } }"));
    fake_.Script("BalancerService/ListBalancers",
                 Make<v1::ListBalancersResponse>(
                     "balancers { name: 'balancer-0' spec { address: '127.0.0.1:5050' }"
                     " status { state: BALANCER_STATE_READY revision: 4 requests: 10 } }"));
    fake_.Script("ServiceService/ListServices",
                 Make<v1::ListServicesResponse>(
                     "services { name: 'worker' spec { replicas: 3 host_port_base: 6000 }"
                     " status { workers: 3 ready: 2 up_to_date: 3 } }"));
    fake_.Script("StatisticsService/GetStatistics",
                 Make<v1::Statistics>("total { successful: 9 failed: 1 }"
                                      "workers { worker_name: 'worker-0' worker_id: 'a'"
                                      " reported { successful: 9 failed: 1 } }"));
  }
};

TEST_F(GetTest, WorkersAreATableForPeople) {
  const Outcome run = Ctl({"get", "workers"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out,
            "NAME       ID             STATE   ADDRESS          IN-FLIGHT   FAILURES   AGE\n"
            "worker-0   aaaaaaaaaaaa   Ready   127.0.0.1:6000   2           0          3m20s\n");
}

TEST_F(GetTest, WorkersHaveMoreColumnsWhereTheyAreWide) {
  const Outcome run = Ctl({"-o", "wide", "get", "workers"});
  EXPECT_THAT(run.out, HasSubstr("UP-TO-DATE   PID   BALANCER-ADDRESS   IMAGE"));
  EXPECT_THAT(run.out, HasSubstr("yes          77    -                  demo"));
}

TEST_F(GetTest, WorkersAreTheListMessageForScripts) {
  const Outcome run = Ctl({"get", "workers", "-o", "json"});
  const Json json = Json::parse(run.out);
  ASSERT_EQ(json["workers"].size(), 1U) << run.out;
  EXPECT_EQ(json["workers"][0]["status"]["state"], "WORKER_STATE_READY");
  EXPECT_EQ(json["workers"][0]["status"]["inFlight"], "2");
}

TEST_F(GetTest, WorkersAreNamesForXargs) {
  EXPECT_EQ(Ctl({"get", "workers", "-o", "name"}).out, "worker/worker-0\n");
}

TEST_F(GetTest, WorkersAreYamlAsKubectlPrintsIt) {
  EXPECT_THAT(Ctl({"get", "workers", "-o", "yaml"}).out,
              HasSubstr("workers:\n- id: aaaaaaaaaaaa\n  name: worker-0\n"));
}

TEST_F(GetTest, HeadersStayAwayWhereAsked) {
  EXPECT_THAT(Ctl({"get", "wk", "--no-headers"}).out, testing::StartsWith("worker-0 "));
}

TEST_F(GetTest, AsksForOneServicesWorkers) {
  Ctl({"get", "workers", "--service", "shop"});
  const auto asked = fake_.Requests<v1::ListWorkersRequest>("WorkerService/ListWorkers");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].service(), "shop");
}

TEST_F(GetTest, FetchesEveryPage) {
  fake_.Script("WorkerService/ListWorkers",
               {Answer::With(Make<v1::ListWorkersResponse>("workers { name: 'a' }"
                                                           " next_page_token: 'more'")),
                Answer::With(Make<v1::ListWorkersResponse>("workers { name: 'b' }"))});
  const Outcome run = Ctl({"get", "workers", "-o", "json"});
  const Json json = Json::parse(run.out);
  EXPECT_EQ(json["workers"].size(), 2U) << run.out;
  EXPECT_EQ(json["nextPageToken"], "");
  const auto asked = fake_.Requests<v1::ListWorkersRequest>("WorkerService/ListWorkers");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].page_token(), "");
  EXPECT_EQ(asked[1].page_token(), "more");
}

TEST_F(GetTest, DoesNotAskForTheSamePageForEver) {
  fake_.Script("WorkerService/ListWorkers",
               Make<v1::ListWorkersResponse>("workers { name: 'a' } next_page_token: 'more'"));
  const Outcome run = Ctl({"get", "workers"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("same page again and again"));
}

TEST_F(GetTest, SaysThatThereIsNothing) {
  fake_.Script("WorkerService/ListWorkers", v1::ListWorkersResponse());
  const Outcome table = Ctl({"get", "workers"});
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_EQ(table.out, "");
  EXPECT_EQ(table.err, "none found\n");
  EXPECT_EQ(Json::parse(Ctl({"get", "workers", "-o", "json"}).out)["workers"], Json::array());
}

TEST_F(GetTest, NamesAreFetchedOneByOne) {
  fake_.Script("WorkerService/GetWorker", {Answer::With(Make<v1::Worker>("name: 'a'")),
                                           Answer::With(Make<v1::Worker>("name: 'b'"))});
  EXPECT_EQ(Ctl({"get", "worker", "a", "b", "-o", "name"}).out, "worker/a\nworker/b\n");
}

TEST_F(GetTest, BalancersShowWhatTheyServe) {
  EXPECT_THAT(Ctl({"get", "balancers"}).out,
              HasSubstr("balancer-0   127.0.0.1:5050   Ready   4          10 "));
}

TEST_F(GetTest, ServicesShowWhatIsReadyOfWhatIsWanted) {
  EXPECT_THAT(Ctl({"get", "services"}).out,
              HasSubstr("worker   2/3     3            3         6000"));
}

TEST_F(GetTest, RevisionsShowWhoAndWhy) {
  fake_.Script(
      "ConfigService/ListRevisions",
      Make<v1::ListRevisionsResponse>(
          "revisions { number: 2 source: 'scale' author: 'ada' reason: 'sale'"
          " create_time { seconds: 1799999940 } } revisions { number: 1 source: 'file' }"));
  EXPECT_EQ(Ctl({"get", "revisions"}).out,
            "REVISION   SOURCE   AUTHOR   AGE    REASON\n"
            "2          scale    ada      1m0s   sale\n"
            "1          file     -        -      -\n");
  EXPECT_EQ(Ctl({"get", "rev", "-o", "name"}).out, "revision/2\nrevision/1\n");
}

TEST_F(GetTest, EventsHaveTheNewestLast) {
  fake_.Script("EventService/ListEvents",
               Make<v1::ListEventsResponse>(
                   "events { sequence: 2 kind: 'WorkerCrashed' subject: 'worker/worker-1'"
                   " severity: SEVERITY_ERROR message: 'exited with status 1' }"
                   "events { sequence: 1 kind: 'WorkerReady' subject: 'worker/worker-10' }"));
  const Outcome run = Ctl({"events"});
  EXPECT_LT(run.out.find("WorkerReady"), run.out.find("WorkerCrashed")) << run.out;
  EXPECT_EQ(Ctl({"get", "events"}).out, run.out);
  EXPECT_THAT(Ctl({"events", "worker/worker-1"}).out, Not(HasSubstr("WorkerReady")))
      << "worker-10 is another worker than worker-1";
}

TEST_F(GetTest, StatsAddATotal) {
  const Outcome run = Ctl({"stats"});
  EXPECT_THAT(run.out, HasSubstr("TOTAL      -    10         9    1        10.0%"));
  EXPECT_EQ(Json::parse(Ctl({"stats", "-o", "json"}).out)["total"]["successful"], "9");
}

TEST_F(GetTest, StatusFitsOnOneScreen) {
  fake_.Script("ClusterService/GetStatus",
               Make<v1::ClusterStatus>(
                   "version: '1.2.3' pid: 7 runtime: RUNTIME_PROCESS runtime_available: true"
                   " runtime_reason: 'workers are processes of this machine' revision: 4"
                   " converged: true config_file: '/etc/c.yaml' database_file: '/var/s.db'"
                   " start_time { seconds: 1799999990 }"));
  EXPECT_EQ(Ctl({"status"}).out,
            "GoComet:            1.2.3 at " + fake_.address() +
                ", up 10s, pid 7\n"
                "State:              all as wanted\n"
                "Runtime:            process (workers are processes of this machine)\n"
                "Revision:           4, config /etc/c.yaml\n"
                "Workers:            1/3 ready\n"
                "Requests:           10, 1 of them failed (10.0%), average 0.0ms\n"
                "Database:           /var/s.db\n"
                "Balancers:\n"
                "  NAME         ADDRESS                 STATE   REQUESTS\n"
                "  balancer-0   http://127.0.0.1:5050   Ready   10\n");
  EXPECT_EQ(Json::parse(Ctl({"status", "-o", "json"}).out)["pid"], "7");
}

TEST_F(GetTest, VersionNamesBothPrograms) {
  fake_.Script("ClusterService/GetStatus", Make<v1::ClusterStatus>("version: '9.9.9'"));
  const Outcome run = Ctl({"version"});
  EXPECT_THAT(run.out, HasSubstr("gocometctl "));
  EXPECT_THAT(run.out, HasSubstr("gocomet-controlplane 9.9.9 at " + fake_.address()));
  EXPECT_EQ(Json::parse(Ctl({"version", "-o", "json"}).out)["server"], "9.9.9");
}

TEST_F(GetTest, VersionOfTheClientAsksNobody) {
  EXPECT_EQ(Ctl({"version", "--client"}).exit_code, 0);
  EXPECT_TRUE(fake_.Requests<v1::GetStatusRequest>("ClusterService/GetStatus").empty());
}

TEST_F(GetTest, ColoursAreForTerminals) {
  EXPECT_THAT(Ctl({"get", "workers"}).out, Not(HasSubstr("\033[")));
  EXPECT_THAT(Ctl({"get", "workers"}, {.colours = true}).out, HasSubstr("\033[32mReady\033[0m"));
  EXPECT_THAT(Ctl({"get", "workers", "-o", "json"}, {.colours = true}).out,
              Not(HasSubstr("\033[")));
}

TEST_F(GetTest, HostileTextHasNoPowerOverTheTerminal) {
  const std::string hostile = "'x\\033]0;owned\\007\\302\\2332J\\ny'";
  fake_.Script("WorkerService/ListWorkers",
               Make<v1::ListWorkersResponse>(
                   "workers { id: " + hostile + " name: " + hostile + " spec { image: " + hostile +
                   " } status { reason: " + hostile + " address: " + hostile + " } }"));
  fake_.Script("ClusterService/GetStatus", Make<v1::ClusterStatus>("version: " + hostile));
  fake_.Script("ConfigService/GetConfig", Make<v1::GetConfigResponse>("config_yaml: " + hostile));
  for (const std::vector<std::string>& command : {std::vector<std::string>{"get", "workers"},
                                                  {"get", "workers", "-o", "wide"},
                                                  {"get", "workers", "-o", "json"},
                                                  {"get", "workers", "-o", "yaml"},
                                                  {"get", "workers", "-o", "name"},
                                                  {"status"},
                                                  {"version"},
                                                  {"version", "-o", "json"},
                                                  {"config", "show"}}) {
    const Outcome run = Ctl(command);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    for (const char* power : {"\033", "\007", "\302\233"}) {
      EXPECT_THAT(run.out, Not(HasSubstr(power))) << testing::PrintToString(command);
    }
  }
}

}  // namespace
}  // namespace gocomet::ctl
