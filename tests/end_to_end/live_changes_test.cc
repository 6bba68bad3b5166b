// A new config while traffic flows, once per runtime: no request fails for it.
#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LiveChanges : public OnEachRuntime {
 protected:
  static void Apply(System& system, const std::string& key, const std::string& value) {
    system.keys[key] = value;
    const grpc::Status applied = system.Apply(system.ConfigText());
    ASSERT_TRUE(applied.ok()) << applied.error_message();
  }

  static bool HasReadyBalancersOn(const System& system, const std::vector<uint16_t>& ports) {
    std::set<std::string> wanted;
    for (const uint16_t port : ports) wanted.insert(Cat("127.0.0.1:", port));
    std::set<std::string> seen;
    for (const v1::Balancer& balancer : system.Balancers()) {
      if (balancer.status().state() != v1::BALANCER_STATE_READY) return false;
      seen.insert(balancer.spec().address());
    }
    return seen == wanted;
  }

  static std::vector<uint32_t> WorkerPorts(const System& system) {
    std::vector<uint32_t> ports;
    for (const v1::Worker& worker : system.Workers()) ports.push_back(worker.spec().port());
    std::sort(ports.begin(), ports.end());
    return ports;
  }
};

TEST_P(LiveChanges, ScalesToNothingAndBack) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint16_t port = system.balancer_ports().front();

  ASSERT_TRUE(system.Scale(0).ok());
  EXPECT_TRUE(system.WaitForWorkers(0)) << Events(system);
  const auto nobody = HttpGet(port, kHello);
  ASSERT_TRUE(nobody.ok()) << nobody.status();
  EXPECT_EQ(nobody->status, 503);
  EXPECT_THAT(nobody->body, HasSubstr("No healthy server found"));

  ASSERT_TRUE(system.Scale(2).ok());
  EXPECT_TRUE(system.WaitForWorkers(2)) << Events(system);
  EXPECT_TRUE(WaitUntil([&] {
    const auto answer = HttpGet(port, kHello);
    return answer.ok() && answer->status == 200;
  }));
}

TEST_P(LiveChanges, BalancersComeAndGoAndTheOthersGoOn) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load({system.balancer_ports().front()}, kHello, 8);
  ASSERT_TRUE(WaitUntil([&] { return load.answered() > 100; }));

  Apply(system, "pool", "4");
  const std::vector<uint16_t> four = system.balancer_ports();
  EXPECT_TRUE(WaitUntil([&] { return HasReadyBalancersOn(system, four); })) << Events(system);
  const auto answers = HttpBurst(four, kHello, 40, seconds(20));
  EXPECT_TRUE(answers.ok()) << answers.status();

  Apply(system, "pool", "1");
  EXPECT_TRUE(WaitUntil([&] { return HasReadyBalancersOn(system, {four.front()}); }))
      << Events(system);
  EXPECT_FALSE(HttpGet(four.back(), kHello).ok()) << "nobody listens there any more";

  const Load::Result result = load.Stop();
  EXPECT_THAT(result.unexpected, IsEmpty()) << Events(system);
  ExpectTotal(system, result.answered() + 40);
}

TEST_P(LiveChanges, ABalancerThatGoesFinishesWhatItHas) {
  System system(GetParam());
  system.keys["avg-delay"] = "2000";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint16_t going = system.balancer_ports().back();
  absl::StatusOr<HttpAnswer> answer = absl::UnknownError("not asked");
  std::thread asks([&] { answer = HttpGet(going, kHello); });
  const bool in_flight = WaitUntil([&] {
    const auto balancers = system.Balancers();
    return balancers.size() == 2 && balancers[1].status().in_flight() == 1;
  });
  if (in_flight) Apply(system, "pool", "1");
  asks.join();
  EXPECT_TRUE(in_flight);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(WaitUntil([&] { return system.Balancers().size() == 1; })) << Events(system);
}

TEST_P(LiveChanges, WorkersMoveToOtherPorts) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  Load load(system.balancer_ports(), kHello, 8);
  ASSERT_TRUE(WaitUntil([&] { return load.answered() > 100; }));

  const auto base = static_cast<uint16_t>(system.first_worker_port() + 10);
  Apply(system, "worker-port", Cat(base));
  EXPECT_TRUE(WaitUntil(
      [&] {
        const auto ports = WorkerPorts(system);
        return ports.size() == 3 && ports.front() >= base && system.ReadyWorkers() == 3;
      },
      seconds(60)))
      << Events(system);
  const uint64_t moved = load.answered();
  EXPECT_TRUE(WaitUntil([&] { return load.answered() > moved + 200; }));

  const Load::Result result = load.Stop();
  EXPECT_THAT(result.unexpected, IsEmpty()) << Events(system);
  ExpectTotal(system, result.answered());
}

TEST_P(LiveChanges, BalancersMoveToOtherPorts) {
  System system(GetParam());
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const uint16_t base = system.balancer_ports().front();
  const auto elsewhere = static_cast<uint16_t>(base + 5);
  const auto beside = static_cast<uint16_t>(elsewhere + 1);

  Apply(system, "load-balancer-port", Cat(elsewhere));
  EXPECT_TRUE(WaitUntil([&] {
    return HasReadyBalancersOn(system, {elsewhere, beside});
  })) << Events(system);
  const auto answers = HttpBurst({elsewhere, beside}, kHello, 20, seconds(20));
  EXPECT_TRUE(answers.ok()) << answers.status();
  EXPECT_FALSE(HttpGet(base, kHello).ok()) << "nobody listens there any more";
}

GOCOMET_ON_EACH_RUNTIME(LiveChanges);

}  // namespace
}  // namespace gocomet::testing
