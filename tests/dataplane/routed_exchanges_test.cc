// Routes at work in one shard, between peers that are played by hand.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/dataplane/one_shard.h"

namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Route RouteOf(const std::string& path, std::vector<RouteTarget> targets) {
  Route route;
  route.name = path.substr(1);
  route.path = *http::PathPrefix::Parse(path);
  route.targets = std::move(targets);
  return route;
}

// Services of one worker each, in the order of `workers`, named `a`, `b`, ….
class RoutedShard {
 public:
  explicit RoutedShard(const std::vector<Address>& workers, const ProxySettings& settings = {})
      : workers_(workers.size()), shard_(workers, settings) {}

  void RouteBy(std::vector<Route> routes) {
    auto router = std::make_shared<Router>(std::move(routes), router_.get());
    for (const Router::Entry& entry : router->entries()) {
      auto& requests = requests_.emplace_back(std::make_shared<std::atomic<uint64_t>>(0));
      router->CountInto(entry.route.name, requests);
    }
    Publish(router);
  }
  // The same routes, as after a change of the workers.
  void Publish(const std::shared_ptr<const Router>& router) {
    router_ = router;
    std::vector<RoutingTablePointer> tables;
    for (const Router::Entry& entry : router->entries()) {
      for (const RouteTarget& target : entry.route.targets) {
        tables.push_back(WorkersOf(target.service));
      }
    }
    std::map<std::string, RoutingTablePointer, std::less<>> services;
    for (size_t i = 0; i < workers_; ++i) services[NameOfService(i)] = WorkersOf(NameOfService(i));
    shard_.Adopt(std::make_shared<Routing>(router, std::move(tables), std::move(services)));
  }
  // Those that are routed to in place of the service's own worker.
  void SetWorkers(const std::string& service, std::vector<size_t> workers) {
    other_workers_[service] = std::move(workers);
  }
  const std::shared_ptr<const Router>& router() const { return router_; }
  uint64_t requests(size_t route) const { return *requests_[route]; }
  OneShard& operator*() { return shard_; }
  OneShard* operator->() { return &shard_; }

 private:
  static std::string NameOfService(size_t i) { return {static_cast<char>('a' + i)}; }
  RoutingTablePointer WorkersOf(const std::string& service) {
    std::vector<Candidate> candidates;
    const auto other = other_workers_.find(service);
    const std::vector<size_t> own = {static_cast<size_t>(service[0] - 'a')};
    for (const size_t i : other == other_workers_.end() ? own : other->second) {
      candidates.push_back({shard_.endpoint_pointer(i)});
    }
    return std::make_shared<RoutingTable>(candidates);
  }

  const size_t workers_;
  OneShard shard_;
  std::shared_ptr<const Router> router_;
  std::vector<Router::Requests> requests_;
  std::map<std::string, std::vector<size_t>> other_workers_;
};

std::string Get(const std::string& path) {
  return Cat("GET ", path, " HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(RoutedExchanges, GoToTheServiceOfTheirRouteOnOneConnectionOfTheClient) {
  Door a;
  Door b;
  RoutedShard balancer({a.address(), b.address()});
  balancer.RouteBy({RouteOf("/a", {{"a"}}), RouteOf("/b", {{"b"}})});
  Peer client = balancer->Connect();
  client.Send(Get("/a/x") + Get("/b"));
  Peer worker = a.Accept();
  EXPECT_EQ(worker.ReadHead().find("GET /a/x HTTP/1.1\r\n"), 0u);
  worker.Send(kOk);
  client.ReadUntil("ok");
  Peer other = b.Accept();
  EXPECT_EQ(other.ReadHead().find("GET /b HTTP/1.1\r\n"), 0u);
  other.Send(kOk);
  client.ReadUntil("ok");
  EXPECT_EQ(balancer.requests(0), 1u);
  EXPECT_EQ(balancer.requests(1), 1u);
}

TEST(RoutedExchanges, AreAnswered404WhereNoRouteIsForThemAndTheConnectionGoesOn) {
  Door a;
  RoutedShard balancer({a.address()});
  balancer.RouteBy({RouteOf("/a", {{"a"}})});
  Peer client = balancer->Connect();
  client.Send(Get("/x"));
  const std::string answer = client.ReadUntil("these headers");
  EXPECT_EQ(answer.find("HTTP/1.1 404 Not Found\r\n"), 0u) << answer;
  EXPECT_NE(answer.find("X-GoComet-Error: no_route\r\n"), std::string::npos) << answer;
  client.Send(Get("/a"));
  Peer worker = a.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  client.ReadUntil("ok");
  EXPECT_EQ(balancer->shard().counters().unrouted, 1u);
  EXPECT_EQ(balancer->shard().counters().own_answers[404], 1u);
}

TEST(RoutedExchanges, AreRefusedWhereServersReadTheirPathDifferently) {
  Door a;
  Door b;
  RoutedShard balancer({a.address(), b.address()});
  balancer.RouteBy({RouteOf("/a", {{"a"}}), RouteOf("/b", {{"b"}})});
  Peer client = balancer->Connect();
  client.Send(Get("/a/..%2fb") + Get("/a"));
  const std::string answer = client.ReadToEnd();
  EXPECT_EQ(answer.find("HTTP/1.1 400 "), 0u) << answer;
  EXPECT_NE(answer.find("X-GoComet-Error: ambiguous_path\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(a.NobodyKnocksFor(milliseconds(20)));
  EXPECT_EQ(balancer->shard().counters().unrouted, 0u);
}

TEST(RoutedExchanges, HaveTheTimeToAnswerThatTheirRouteGives) {
  Door a;
  RoutedShard balancer({a.address()}, {.limits = {.response_timeout = milliseconds(60'000)}});
  Route fast = RouteOf("/fast", {{"a"}});
  fast.limits.response_timeout = milliseconds(50);
  balancer.RouteBy({fast, RouteOf("/slow", {{"a"}})});
  Peer slow_client = balancer->Connect();
  slow_client.Send(Get("/slow"));
  Peer slow_worker = a.Accept();
  slow_worker.ReadHead();
  Peer client = balancer->Connect();
  client.Send(Get("/fast"));
  Peer worker = a.Accept();
  worker.ReadHead();
  EXPECT_EQ(client.ReadHead().find("HTTP/1.1 504 "), 0u);
  slow_worker.Send(kOk);
  slow_client.ReadUntil("ok");
}

TEST(RoutedExchanges, HaveTheTimeForABodyThatTheirRouteGives) {
  Door a;
  RoutedShard balancer({a.address()});
  Route route = RouteOf("/a", {{"a"}});
  route.limits.body_timeout = milliseconds(50);
  balancer.RouteBy({route});
  Peer client = balancer->Connect();
  client.Send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(client.ReadHead().find("HTTP/1.1 408 "), 0u);
}

TEST(RoutedExchanges, AreTriedAgainAsOftenAsTheirRouteAllowsAndWithinTheirService) {
  Door b;
  RoutedShard balancer({RefusingAddress(), b.address(), RefusingAddress()});
  balancer.SetWorkers("a", {0, 2});
  Route once = RouteOf("/once", {{"a"}});
  once.limits.retries_max = 0;
  balancer.RouteBy({once, RouteOf("/more", {{"a"}}), RouteOf("/b", {{"b"}})});
  Peer client = balancer->Connect();
  client.Send(Get("/once"));
  EXPECT_EQ(client.ReadHead().find("HTTP/1.1 503 "), 0u);
  EXPECT_EQ(balancer->endpoint(0).counters->retried + balancer->endpoint(2).counters->retried, 0u);
  Peer other = balancer->Connect();
  other.Send(Get("/more"));
  EXPECT_EQ(other.ReadHead().find("HTTP/1.1 503 "), 0u);
  EXPECT_GT(balancer->endpoint(0).counters->retried + balancer->endpoint(2).counters->retried, 0u);
  EXPECT_TRUE(b.NobodyKnocksFor(milliseconds(20))) << "its service is another one";
}

TEST(RoutedExchanges, StayWithTheirServiceWhereTheyAreTriedAgainAfterTheirRouteIsGone) {
  Door a;
  Door b;
  Door later;
  RoutedShard balancer({a.address(), b.address(), later.address()});
  balancer.RouteBy({RouteOf("/x", {{"a"}})});
  Peer client = balancer->Connect();
  client.Send(Get("/x"));
  Peer worker = a.Accept();
  worker.ReadHead();
  balancer.SetWorkers("a", {2});
  balancer.RouteBy({RouteOf("/y", {{"b"}})});
  worker.Close();
  Peer next = later.Accept();
  EXPECT_EQ(next.ReadHead().find("GET /x "), 0u);
  next.Send(kOk);
  client.ReadUntil("ok");
  client.Send(Get("/x"));
  EXPECT_EQ(client.ReadHead().find("HTTP/1.1 404 "), 0u) << "the next request goes by the new ones";
}

TEST(RoutedExchanges, ThatAreUnderWayEndAsTheyBeganWhateverBecomesOfTheirRoute) {
  Door a;
  Door b;
  RoutedShard balancer({a.address(), b.address()});
  balancer.RouteBy({RouteOf("/x", {{"a"}})});
  Peer client = balancer->Connect();
  client.Send(Get("/x"));
  Peer worker = a.Accept();
  worker.ReadHead();
  for (int i = 0; i < 3; ++i) balancer.RouteBy({RouteOf("/x", {{"b"}})});
  worker.Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
  client.ReadUntil("ha");
  balancer.RouteBy({});
  worker.Send("lf");
  client.ReadUntil("lf");
}

TEST(RoutedExchanges, KeepTheirConnectionsToWorkersWhenOtherServicesComeAndGo) {
  Door a;
  Door b;
  RoutedShard balancer({a.address(), b.address()});
  balancer.RouteBy({RouteOf("/a", {{"a"}})});
  Peer client = balancer->Connect();
  client.Send(Get("/a"));
  Peer worker = a.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  client.ReadUntil("ok");
  balancer.RouteBy({RouteOf("/b", {{"b"}}), RouteOf("/a", {{"b", 0}, {"a", 1}})});
  client.Send(Get("/a"));
  worker.ReadHead();
  worker.Send(kOk);
  client.ReadUntil("ok");
  balancer.SetWorkers("a", {});
  balancer.RouteBy({RouteOf("/b", {{"b"}})});
  EXPECT_TRUE(worker.Ends()) << "nobody can use it any more";
}

}  // namespace
}  // namespace gocomet::dataplane
