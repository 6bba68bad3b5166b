// The main job with the real executables, once per runtime: config in, balanced traffic and exact
// statistics out, and any change while traffic flows.
#include <algorithm>
#include <csignal>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using MainJob = OnEachRuntime;

TEST_P(MainJob, TwoThousandRequestsAtOnceAreSpreadEvenlyAndCountedExactly) {
  System system(GetParam());
  system.keys["avg-delay"] = "200";
  system.keys["failure"] = "12";
  ASSERT_TRUE(system.Start().ok()) << system.output();

  const auto answers = HttpBurst(system.balancer_ports(), kHello, 2000, seconds(30));

  ASSERT_TRUE(answers.ok()) << answers.status() << Events(system);
  std::map<int, int> by_status;
  for (const HttpAnswer& answer : *answers) ++by_status[answer.status];
  EXPECT_EQ(by_status[200] + by_status[500], 2000);
  EXPECT_GT(by_status[500], 150) << "12 % of 2000 fail on average";
  EXPECT_LT(by_status[500], 340);
  ExpectTotal(system, 2000, seconds(2));
  const auto statistics = system.Statistics();
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->total().failed(), static_cast<uint64_t>(by_status[500]));
  ASSERT_EQ(statistics->workers_size(), 3);
  for (const v1::WorkerStatistics& worker : statistics->workers()) {
    // Each of two balancers gives each of three workers 333 or 334 of its 1000.
    const uint64_t got = worker.reported().successful() + worker.reported().failed();
    EXPECT_GE(got, 666U) << worker.worker_name();
    EXPECT_LE(got, 668U) << worker.worker_name();
  }
  // The second witness: what the balancers saw, which has the other pages too.
  EXPECT_TRUE(WaitUntil([&] {
    const auto seen = system.Statistics();
    return seen && std::all_of(seen->workers().begin(), seen->workers().end(),
                               [](const v1::WorkerStatistics& worker) {
                                 return worker.balanced().answered() >=
                                        worker.reported().successful() + worker.reported().failed();
                               });
  }));
}

TEST_P(MainJob, AKilledWorkerIsReplacedAndNoRequestFails) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), kHello, 8);
  ASSERT_TRUE(WaitUntil([&] { return load.answered() > 200; }));
  const auto before = system.Workers();
  ASSERT_THAT(before, SizeIs(3));

  ASSERT_GT(before[1].status().pid(), 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(before[1].status().pid()), SIGKILL), 0);

  const bool replaced = WaitUntil([&] {
    const auto now = system.Workers();
    return now.size() == 3 && system.ReadyWorkers() == 3 &&
           std::none_of(now.begin(), now.end(),
                        [&](const v1::Worker& w) { return w.id() == before[1].id(); });
  });
  EXPECT_TRUE(replaced) << Events(system);
  const uint64_t at_return = load.answered();
  EXPECT_TRUE(WaitUntil([&] { return load.answered() > at_return + 200; }));
  EXPECT_THAT(load.Stop().unexpected, IsEmpty()) << Events(system);
  EXPECT_THAT(Events(system), HasSubstr("WorkerCrashed"));
}

TEST_P(MainJob, KillingTheControlPlaneCostsNoRequestAndItTakesOverWhatRuns) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), kHello, 8);
  ASSERT_TRUE(WaitUntil([&] { return load.answered() > 200; }));
  const auto workers_before = system.Workers();
  const auto balancers_before = system.Balancers();

  system.KillControlPlane();
  const uint64_t at_kill = load.answered();
  EXPECT_TRUE(WaitUntil([&] { return load.answered() > at_kill + 300; }))
      << "traffic goes on without it";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint64_t at_return = load.answered();
  EXPECT_TRUE(WaitUntil([&] { return load.answered() > at_return + 300; }));

  const Load::Result result = load.Stop();
  EXPECT_THAT(result.unexpected, IsEmpty()) << Events(system);
  const auto ids = [](const auto& workers) {
    std::vector<std::string> all;
    all.reserve(workers.size());
    for (const v1::Worker& w : workers) all.push_back(w.id());
    return all;
  };
  EXPECT_EQ(ids(system.Workers()), ids(workers_before)) << "the same workers, not new ones";
  const auto balancers_after = system.Balancers();
  ASSERT_EQ(balancers_after.size(), balancers_before.size());
  for (size_t i = 0; i < balancers_after.size(); ++i) {
    EXPECT_EQ(balancers_after[i].status().pid(), balancers_before[i].status().pid());
  }
  ExpectTotal(system, result.answered());
}

TEST_P(MainJob, ScalesUpAndDownWithoutAFailedRequest) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), kHello, 8);
  for (const uint32_t replicas : {6U, 2U}) {
    const grpc::Status scaled = system.Scale(replicas);
    ASSERT_TRUE(scaled.ok()) << scaled.error_message();
    EXPECT_TRUE(WaitUntil([&] {
      return system.Workers().size() == replicas && system.ReadyWorkers() == replicas;
    })) << Events(system);
    const uint64_t now = load.answered();
    EXPECT_TRUE(WaitUntil([&] { return load.answered() > now + 200; }));
  }
  const Load::Result result = load.Stop();
  EXPECT_THAT(result.unexpected, IsEmpty()) << Events(system);
  ExpectTotal(system, result.answered());
}

TEST_P(MainJob, RestartingTheServiceReplacesEveryWorkerWithoutAFailedRequest) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto before = system.Workers();
  Load load(system.balancer_ports(), kHello, 8);
  ASSERT_TRUE(WaitUntil([&] { return load.answered() > 100; }));

  grpc::ClientContext context;
  system.Authenticate(context);
  v1::RestartServiceResponse response;
  ASSERT_TRUE(system.NewStub<v1::ServiceService>()->RestartService(&context, {}, &response).ok());

  EXPECT_TRUE(WaitUntil(
      [&] {
        const auto now = system.Workers();
        return now.size() == 3 && system.ReadyWorkers() == 3 &&
               std::none_of(now.begin(), now.end(), [&](const v1::Worker& w) {
                 return std::any_of(before.begin(), before.end(),
                                    [&](const v1::Worker& b) { return b.id() == w.id(); });
               });
      },
      seconds(60)))
      << Events(system);
  const Load::Result result = load.Stop();
  EXPECT_THAT(result.unexpected, IsEmpty()) << Events(system);
  ExpectTotal(system, result.answered());
}

TEST_P(MainJob, DelayAndFailureRateChangeLive) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto before = system.Workers();
  const auto share_of_failures = [&] {
    const auto answers = HttpBurst(system.balancer_ports(), kHello, 100, seconds(20));
    if (!answers.ok()) return -1;
    return static_cast<int>(std::count_if(answers->begin(), answers->end(),
                                          [](const HttpAnswer& a) { return a.status == 500; }));
  };
  ASSERT_EQ(share_of_failures(), 0);

  system.keys["failure"] = "100";
  const grpc::Status applied = system.Apply(system.ConfigText());
  ASSERT_TRUE(applied.ok()) << applied.error_message();
  EXPECT_TRUE(WaitUntil([&] { return share_of_failures() == 100; }, seconds(5)));

  system.keys["failure"] = "0";
  system.keys["avg-delay"] = "400";
  ASSERT_TRUE(system.Apply(system.ConfigText()).ok());
  EXPECT_TRUE(WaitUntil([&] { return share_of_failures() == 0; }, seconds(5)));
  const auto started = std::chrono::steady_clock::now();
  ASSERT_TRUE(HttpGet(system.balancer_ports().front(), kHello).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(200))
      << "half the mean delay is the least";
  const auto after = system.Workers();
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].id(), before[i].id());
}

TEST_P(MainJob, TotalsAreTheSameAfterARestart) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_TRUE(HttpBurst(system.balancer_ports(), kHello, 500, seconds(20)).ok());
  ExpectTotal(system, 500);
  system.Signal(SIGTERM);
  ASSERT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_EQ(TotalInTable(system.database()), 500);
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ExpectTotal(system, 500);
  ASSERT_TRUE(HttpBurst(system.balancer_ports(), kHello, 100, seconds(20)).ok());
  ExpectTotal(system, 600);
}

TEST_P(MainJob, ACleanStopUnderLoadLeavesNothingBehind) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_TRUE(HttpBurst(system.balancer_ports(), kHello, 100, seconds(20)).ok());

  system.Signal(SIGTERM);

  EXPECT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
  EXPECT_THAT(system.output(), HasSubstr("Everything that was started is stopped and removed."));
}

TEST_P(MainJob, ASecondSignalStopsAtOnce) {
  System system(GetParam());
  system.keys["avg-delay"] = "20000";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), kHello, 2);
  ASSERT_TRUE(WaitUntil([&] {
    const auto balancers = system.Balancers();
    return std::any_of(balancers.begin(), balancers.end(),
                       [](const v1::Balancer& b) { return b.status().in_flight() > 0; });
  }));

  system.Signal(SIGINT);
  ASSERT_TRUE(WaitUntil([&] {
    return system.output().find("Stopping") != std::string::npos ||
           system.output().find("finish what they have") != std::string::npos;
  }));
  system.Signal(SIGINT);

  EXPECT_EQ(system.WaitForExit(seconds(10)), 130) << system.output();
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

GOCOMET_ON_EACH_RUNTIME(MainJob);

}  // namespace
}  // namespace gocomet::testing
