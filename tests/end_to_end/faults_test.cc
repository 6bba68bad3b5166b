// What breaks while traffic flows, once per runtime: who notices, and that it mends itself.
#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Faults : public OnEachRuntime {
 protected:
  static void SignalWorker(const v1::Worker& worker, int signal) {
    ASSERT_GT(worker.status().pid(), 0) << worker.name();
    ASSERT_EQ(::kill(static_cast<pid_t>(worker.status().pid()), signal), 0) << worker.name();
  }

  static bool Succeeds(uint16_t port) {
    const auto answer = HttpGet(port, kHello);
    return answer.ok() && answer->status == 200;
  }

  static bool SaysNoHealthyServer(uint16_t port) {
    const auto answer = HttpGet(port, kHello);
    return answer.ok() && answer->status == 503 &&
           answer->body.find("No healthy server found") != std::string::npos;
  }
};

TEST_P(Faults, AKilledBalancerIsBackOnItsPortAndItsPeerNeverNotices) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint16_t killed_port = system.balancer_ports().front();
  Load load({system.balancer_ports().back()}, kHello, 4);
  ASSERT_TRUE(WaitUntil([&] { return load.answered() > 100; }));
  const auto before = system.Balancers();
  ASSERT_THAT(before, SizeIs(2));

  ASSERT_EQ(::kill(static_cast<pid_t>(before[0].status().pid()), SIGKILL), 0);
  const auto killed = steady_clock::now();
  EXPECT_TRUE(WaitUntil([&] { return Succeeds(killed_port); }));

  // A second where the machine has nothing else to do.
  EXPECT_LT(steady_clock::now() - killed, seconds(5));
  EXPECT_TRUE(WaitUntil([&] {
    const auto now = system.Balancers();
    return now.size() == 2 && now[0].status().state() == v1::BALANCER_STATE_READY &&
           now[0].status().pid() != before[0].status().pid();
  })) << Events(system);
  EXPECT_EQ(system.Balancers().back().status().pid(), before[1].status().pid());
  EXPECT_THAT(load.Stop().unexpected, IsEmpty()) << Events(system);
  EXPECT_THAT(Events(system), HasSubstr("BalancerCrashed: killed by signal 9"));
}

TEST_P(Faults, WithoutAnyWorkerTheAnswerIs503AtOnceAndAllComesBack) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto before = system.Workers();
  ASSERT_THAT(before, SizeIs(3));

  // The control plane holds its breath, so that nobody starts them again while we look.
  system.Signal(SIGSTOP);
  for (const v1::Worker& worker : before) SignalWorker(worker, SIGKILL);
  for (const uint16_t port : system.balancer_ports()) {
    EXPECT_TRUE(WaitUntil([&] { return SaysNoHealthyServer(port); })) << port;
    const auto asked = steady_clock::now();
    EXPECT_TRUE(SaysNoHealthyServer(port));
    EXPECT_LT(steady_clock::now() - asked, seconds(1));
  }
  system.Signal(SIGCONT);

  EXPECT_TRUE(system.WaitForWorkers(3)) << Events(system);
  for (const uint16_t port : system.balancer_ports()) {
    EXPECT_TRUE(WaitUntil([&] { return Succeeds(port); })) << port;
  }
}

TEST_P(Faults, AHangingWorkerIsOutOfTheRotationUntilItAnswersAgain) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const auto workers = system.Workers();
  ASSERT_THAT(workers, SizeIs(3));
  const auto answered_by_it = [&] {
    const auto statistics = system.Statistics();
    for (int i = 0; statistics && i < statistics->workers_size(); ++i) {
      const v1::WorkerStatistics& row = statistics->workers(i);
      if (row.worker_id() == workers[1].id()) return row.reported().successful();
    }
    return uint64_t{0};
  };

  SignalWorker(workers[1], SIGSTOP);
  // Each balancer finds out by its own check; from then on nobody waits for it.
  EXPECT_TRUE(WaitUntil(
      [&] {
        const auto now = system.Workers();
        return now.size() == 3 && now[1].status().state() == v1::WORKER_STATE_UNHEALTHY &&
               HttpBurst(system.balancer_ports(), kHello, 12, seconds(2)).ok();
      },
      seconds(60)))
      << Events(system);
  const uint64_t while_it_hung = answered_by_it();
  EXPECT_TRUE(HttpBurst(system.balancer_ports(), kHello, 30, seconds(5)).ok());
  EXPECT_EQ(answered_by_it(), while_it_hung);

  SignalWorker(workers[1], SIGCONT);
  EXPECT_TRUE(system.WaitForWorkers(3)) << Events(system);
  EXPECT_TRUE(WaitUntil(
      [&] {
        (void)HttpBurst(system.balancer_ports(), kHello, 12, seconds(5));
        return answered_by_it() > while_it_hung + 10;
      },
      seconds(60)));
  EXPECT_EQ(system.Workers()[1].id(), workers[1].id()) << "the same one, not a successor";
}

TEST_P(Faults, EverythingKilledAtOnceIsStartedAnew) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_TRUE(HttpBurst(system.balancer_ports(), kHello, 60, seconds(20)).ok());
  ExpectTotal(system, 60);
  const auto workers = system.Workers();
  const auto balancers = system.Balancers();

  system.KillControlPlane();
  for (const v1::Worker& worker : workers) SignalWorker(worker, SIGKILL);
  for (const v1::Balancer& balancer : balancers) {
    ASSERT_EQ(::kill(static_cast<pid_t>(balancer.status().pid()), SIGKILL), 0);
  }
  ASSERT_TRUE(system.Start().ok()) << system.output();

  EXPECT_TRUE(HttpBurst(system.balancer_ports(), kHello, 60, seconds(20)).ok());
  ExpectTotal(system, 120);
  system.Signal(SIGTERM);
  EXPECT_EQ(system.WaitForExit(), 0) << system.output();
  EXPECT_THAT(system.LeftOvers(), IsEmpty());
}

GOCOMET_ON_EACH_RUNTIME(Faults);

}  // namespace
}  // namespace gocomet::testing
