#include "dataplane/app/director.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/dataplane/loopback.h"
#include "tests/dataplane/running_director.h"

namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;

TEST(Director, TreatsAReusedAddressWithAnotherIdentityAsAnotherEndpoint) {
  Door door;
  RunningDirector director;
  director.Assign(AssignmentOf({Wanted("a", door.address())}));
  const EndpointPointer first = director.StatusOf("a").endpoint;
  first->counters->answered = 7;
  first->refuses = true;
  first->failures_in_row = 2;
  const auto expect_fresh = [&](const EndpointPointer& endpoint) {
    EXPECT_NE(endpoint, first);
    EXPECT_EQ(endpoint->counters->answered, 0u);
    EXPECT_FALSE(endpoint->refuses);
    EXPECT_EQ(endpoint->failures_in_row, 0u);
  };
  director.Assign(AssignmentOf({Wanted("b", door.address())}));
  expect_fresh(director.StatusOf("b").endpoint);
  director.Assign(AssignmentOf({Wanted("a", door.address(), 2)}));
  expect_fresh(director.StatusOf("a", 2).endpoint);
}

TEST(Director, KeepsWhatItLearntOfAnEndpointThatStays) {
  Door door;
  RunningDirector director;
  director.Assign(AssignmentOf({Wanted("a", door.address())}));
  const EndpointPointer first = director.StatusOf("a").endpoint;
  director.Assign(AssignmentOf({Wanted("b", RefusingAddress()), Wanted("a", door.address())}));
  EXPECT_EQ(director.StatusOf("a").endpoint, first);
}

TEST(Director, TrustsAnotherWorkerOnAnAddressWhoseFormerWorkerRefused) {
  char directory[] = "/tmp/gocomet-director-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/worker";
  RunningDirector director;
  const Address address = *Address::Parse("unix:" + path);
  director.Assign(AssignmentOf({Wanted("former", address)}));
  EXPECT_TRUE(director.BecomesHealthy("former", false));
  EXPECT_EQ(director.Ask().find("HTTP/1.1 503 "), 0u);

  Door door(path);
  director.Assign(AssignmentOf({Wanted("next", address)}));
  EXPECT_TRUE(director.StatusOf("next").healthy);
  EXPECT_FALSE(director.StatusOf("former").healthy) << "its last report still says how it was";
  ::unlink(path.c_str());
  ::rmdir(directory);
}

TEST(Director, SaysAtOnceThatNobodyTakesConnectionsAndGoesOnWhenOneDoes) {
  char directory[] = "/tmp/gocomet-director-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/worker";
  RunningDirector director;
  WantedService service = AssignmentOf({Wanted("a", *Address::Parse("unix:" + path))});
  service.health.interval = milliseconds(20);
  director.Assign(service);
  const std::string answer = director.Ask();
  EXPECT_EQ(answer.find("HTTP/1.1 503 "), 0u) << answer;
  EXPECT_TRUE(answer.ends_with("No healthy server found")) << answer;
  EXPECT_TRUE(director.BecomesHealthy("a", false));
  const Door door(path);
  EXPECT_TRUE(director.BecomesHealthy("a", true));
  ::unlink(path.c_str());
  ::rmdir(directory);
}

TEST(Director, TakesARefusingWorkerOutWithoutAFailedRequest) {
  Worker worker;
  RunningDirector director;
  director.Assign(AssignmentOf({Wanted("gone", RefusingAddress()), Wanted("a", worker.address())}));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(director.Ask("POST").ends_with("ok"));
  EXPECT_TRUE(director.BecomesHealthy("gone", false));
  EXPECT_EQ(worker.served(), 10);
}

TEST(Director, EjectsAWorkerThatBreaksConnectionsThoughItsProbesPass) {
  Worker good;
  Worker bad;
  bad.Break(true);
  RunningDirector director;
  WantedService service =
      AssignmentOf({Wanted("good", good.address()), Wanted("bad", bad.address())});
  service.ejection = {.failures = 3, .time = kLong, .time_max = kLong};
  director.Assign(service);
  for (int i = 0; i < 6; ++i) director.Ask("POST");
  EXPECT_TRUE(director.BecomesHealthy("bad", false));
  EXPECT_EQ(director.StatusOf("bad").health_reason,
            "ejected for 10m: 3 connections in a row failed or broke");
  EXPECT_EQ(bad.served(), 3);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(director.Ask("POST").ends_with("ok"));
  EXPECT_EQ(bad.served(), 3);
}

TEST(Director, TakesAnEjectedWorkerBackWhenItsTimeIsOver) {
  Worker good;
  Worker bad;
  bad.Break(true);
  RunningDirector director;
  WantedService service =
      AssignmentOf({Wanted("good", good.address()), Wanted("bad", bad.address())});
  service.ejection = {.failures = 1, .time = milliseconds(20), .time_max = milliseconds(20)};
  director.Assign(service);
  for (int i = 0; i < 2; ++i) director.Ask("POST");
  bad.Break(false);
  const int before = bad.served();
  EXPECT_TRUE(Eventually([&] {
    director.Ask();
    return bad.served() > before;
  }));
}

TEST(Director, NeverEjectsTheOnlyWorkerNorMoreThanHalf) {
  Worker workers[3];
  for (Worker& worker : workers) worker.Break(true);
  RunningDirector director;
  WantedService service =
      AssignmentOf({Wanted("a", workers[0].address()), Wanted("b", workers[1].address()),
                    Wanted("c", workers[2].address())});
  service.ejection = {.failures = 1, .time = kLong, .time_max = kLong};
  director.Assign(service);
  for (int i = 0; i < 20; ++i) director.Ask("POST");
  int healthy = 0;
  for (const EndpointStatus& status : director.Status()) healthy += status.healthy ? 1 : 0;
  EXPECT_EQ(healthy, 2);
}

TEST(Director, GoesOnUsingWorkersWhoseProbesFailWhereNoneIsLeft) {
  Worker workers[2];
  RunningDirector director;
  WantedService service =
      AssignmentOf({Wanted("a", workers[0].address()), Wanted("b", workers[1].address())});
  service.health.path = "/";
  service.health.interval = milliseconds(5);
  service.health.expected = {{204, 204}};
  director.Assign(service);
  EXPECT_TRUE(director.BecomesHealthy("a", false));
  EXPECT_TRUE(director.BecomesHealthy("b", false));
  EXPECT_EQ(director.StatusOf("a").health_reason, "200");
  EXPECT_TRUE(director.Ask().ends_with("ok"));
}

TEST(Director, GivesAWorkerThatComesLaterASmallShareAtFirst) {
  Worker first;
  Worker second;
  Worker later;
  RunningDirector director;
  WantedService service =
      AssignmentOf({Wanted("first", first.address()), Wanted("second", second.address())});
  service.slow_start = kLong;
  director.Assign(service);
  service.endpoints.push_back(Wanted("later", later.address()));
  director.Assign(service);
  for (int i = 0; i < 42; ++i) EXPECT_TRUE(director.Ask().ends_with("ok"));
  EXPECT_EQ(first.served(), 20);
  EXPECT_EQ(second.served(), 20);
  EXPECT_EQ(later.served(), 2);
}

TEST(Director, KeepsRequestsOfOneKeyWithOneWorkerAndOnlyMovesThemWhereItRefuses) {
  Worker workers[3];
  std::vector<WantedEndpoint> endpoints;
  for (size_t i = 0; i < 3; ++i) endpoints.push_back(Wanted(Cat("w", i), workers[i].address()));
  endpoints.push_back(Wanted("gone", RefusingAddress()));
  WantedService service = AssignmentOf(std::move(endpoints));
  Route route;
  route.algorithm = Algorithm::kConsistentHash;
  route.hash_on = *HashOn::Parse("cookie:id");
  RunningDirector director;
  director.Assign(service, route);
  int used = 0;
  for (int key = 0; key < 40; ++key) {
    int before[3];
    for (size_t i = 0; i < 3; ++i) before[i] = workers[i].served();
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(director.Ask("GET", Cat("Cookie: id=", key, "\r\n")).ends_with("ok"));
    }
    for (size_t i = 0; i < 3; ++i) {
      const int got = workers[i].served() - before[i];
      EXPECT_TRUE(got == 0 || got == 3) << "worker " << i << " had " << got << " of key " << key;
      if (got == 3) used |= 1 << i;
    }
  }
  EXPECT_EQ(used, 7) << "all workers have keys";
}

TEST(Director, SharesExactlyBetweenThreads) {
  Worker workers[3];
  RunningDirector director(3);
  director.Assign(
      AssignmentOf({Wanted("a", workers[0].address()), Wanted("b", workers[1].address()),
                    Wanted("c", workers[2].address())}));
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(director.Ask().ends_with("ok"));
  for (const Worker& worker : workers) EXPECT_EQ(worker.served(), 20);
}

// --- Several services

WantedService Named(const std::string& name, WantedService service) {
  service.name = name;
  return service;
}

Route RouteTo(const std::string& name, const std::string& header,
              std::vector<RouteTarget> targets) {
  Route route;
  route.name = name;
  if (!header.empty()) route.headers = {{header, std::nullopt}};
  route.targets = std::move(targets);
  return route;
}

TEST(Director, JudgesEachServiceByItsOwnWorkersAlone) {
  Worker good;
  Worker bad[2];
  for (Worker& worker : bad) worker.Break(true);
  WantedService one = Named("one", AssignmentOf({Wanted("good", good.address())}));
  WantedService two = Named(
      "two", AssignmentOf({Wanted("bad-0", bad[0].address()), Wanted("bad-1", bad[1].address())}));
  one.ejection = two.ejection = {.failures = 1, .time = kLong, .time_max = kLong};
  RunningDirector director;
  director.Assign({{one, two}, {RouteTo("two", "two", {{"two"}}), RouteTo("one", "", {{"one"}})}});
  for (int i = 0; i < 6; ++i) director.Ask("POST", "two: x\r\n");
  int ejected = 0;
  for (const EndpointStatus& status : director.Status()) ejected += status.healthy ? 0 : 1;
  EXPECT_EQ(ejected, 1) << "at most half of the two; the healthy one of `one` does not count";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(director.Ask("POST").ends_with("ok"));
  EXPECT_EQ(good.served(), 3);
}

TEST(Director, Says503ForAServiceWithoutWorkersWhileOthersServe) {
  Worker worker;
  RunningDirector director;
  director.Assign({{Named("one", AssignmentOf({Wanted("a", worker.address())})),
                    Named("none", AssignmentOf({}))},
                   {RouteTo("none", "none", {{"none"}}), RouteTo("one", "", {{"one"}})}});
  EXPECT_EQ(director.Ask("GET", "none: x\r\n").find("HTTP/1.1 503 "), 0u);
  EXPECT_TRUE(director.Ask().ends_with("ok"));
}

TEST(Director, GivesEachRouteTurnsOfItsOwnAndAnAlgorithmOfItsOwn) {
  Worker workers[2];
  const WantedService service = Named(
      "s", AssignmentOf({Wanted("a", workers[0].address()), Wanted("b", workers[1].address())}));
  Route by_key = RouteTo("keys", "key", {{"s"}});
  by_key.algorithm = Algorithm::kConsistentHash;
  by_key.hash_on = *HashOn::Parse("header:key");
  RunningDirector director;
  director.Assign({{service}, {by_key, RouteTo("turns", "", {{"s"}})}});
  // In step: were the turns shared, each request without a key would go to the same worker.
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(director.Ask("GET", "key: k\r\n").ends_with("ok"));
    EXPECT_TRUE(director.Ask().ends_with("ok"));
  }
  const int most = std::max(workers[0].served(), workers[1].served());
  EXPECT_EQ(most, 15) << "five by turns, and all ten of the key";
  EXPECT_EQ(director.RequestsByRoute(),
            (std::map<std::string, uint64_t>{{"keys", 10}, {"turns", 10}}));
}

TEST(Director, KeepsEndpointsAndCountsOverChangesOfRoutesAndServices) {
  Worker worker;
  RunningDirector director;
  const WantedService service = AssignmentOf({Wanted("a", worker.address())});
  director.Assign({{Named("s", service)}, {RouteTo("r", "", {{"s"}})}});
  EXPECT_TRUE(director.Ask().ends_with("ok"));
  const EndpointPointer before = director.StatusOf("a").endpoint;
  director.Assign({{Named("t", service)}, {RouteTo("q", "", {{"t"}})}});
  EXPECT_TRUE(director.Ask().ends_with("ok"));
  EXPECT_EQ(director.StatusOf("a").endpoint, before);
  EXPECT_EQ(before->counters->answered, 2u);
  EXPECT_FALSE(before->draining);
  director.Assign({{Named("s", service)}, {RouteTo("r", "", {{"s"}})}});
  EXPECT_TRUE(director.Ask().ends_with("ok"));
  EXPECT_EQ(director.RequestsByRoute().at("r"), 2u) << "a route that returns goes on counting";
}

TEST(Director, MovesACanaryFromNothingToEverythingWithoutAFailedRequest) {
  Worker stable;
  Worker canary;
  RunningDirector director(2);
  const auto assign = [&](uint32_t percent) {
    director.Assign({{Named("stable", AssignmentOf({Wanted("s", stable.address())})),
                      Named("canary", AssignmentOf({Wanted("c", canary.address())}))},
                     {RouteTo("r", "", {{"stable", 100 - percent}, {"canary", percent}})}});
  };
  assign(0);
  std::atomic<bool> stopping{false};
  std::atomic<int> asked{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      while (!stopping) {
        if (!director.Ask().ends_with("ok")) ++failed;
        ++asked;
      }
    });
  }
  const auto await_more = [&](int more) {
    const int target = asked + more;
    EXPECT_TRUE(Eventually([&] { return asked >= target; }));
  };
  await_more(100);
  EXPECT_EQ(canary.served(), 0);
  for (int percent = 5; percent < 100; percent += 5) {
    assign(percent);
    await_more(20);
  }
  EXPECT_GT(canary.served(), 0);
  assign(100);
  await_more(10);  // Those that were under way.
  const int before = stable.served();
  await_more(100);
  EXPECT_EQ(stable.served(), before);
  stopping = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0) << "of " << asked;
}

}  // namespace
}  // namespace gocomet::dataplane
