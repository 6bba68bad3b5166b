#include "dataplane/agent/convert.h"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

void AddService(v1::Snapshot& snapshot, const std::string& name, bool draining = false) {
  v1::SnapshotService* service = snapshot.add_services();
  service->set_name(name);
  v1::Endpoint* endpoint = service->add_endpoints();
  endpoint->set_worker_id(name + "-0");
  endpoint->set_address("127.0.0.1:6000");
  endpoint->set_draining(draining);
}

v1::Snapshot Routed() {
  v1::Snapshot snapshot;
  AddService(snapshot, "stable");
  AddService(snapshot, "canary");
  v1::RouteSpec* route = snapshot.add_routes();
  route->set_name("api");
  route->set_host("*.example");
  route->set_path_prefix("/api");
  v1::HeaderMatch* header = route->add_headers();
  header->set_name("X-Canary");
  v1::RouteTarget* target = route->add_targets();
  target->set_service("stable");
  target->set_weight(95);
  target = route->add_targets();
  target->set_service("canary");
  target->set_weight(5);
  route->set_algorithm(v1::BALANCING_ALGORITHM_TWO_CHOICES);
  route->set_hash_on("cookie:id");
  route->mutable_response_timeout()->set_seconds(2);
  route->set_retries(0);
  return snapshot;
}

TEST(Convert, TakesRoutesWithEverythingTheySay) {
  const auto assignment = ToAssignment(Routed());
  ASSERT_TRUE(assignment.ok()) << assignment.status();
  Route expected;
  expected.name = "api";
  expected.host = *http::HostPattern::Parse("*.example");
  expected.path = *http::PathPrefix::Parse("/api");
  expected.headers = {{"X-Canary", std::nullopt}};
  expected.targets = {{"stable", 95}, {"canary", 5}};
  expected.algorithm = Algorithm::kTwoChoices;
  expected.hash_on = *HashOn::Parse("cookie:id");
  expected.limits.response_timeout = std::chrono::seconds(2);
  expected.limits.retries_max = 0;
  ASSERT_EQ(assignment->routes.size(), 1u);
  EXPECT_EQ(assignment->routes[0], expected);
  EXPECT_EQ(assignment->services.size(), 2u);
}

TEST(Convert, TakesTheHealthChecksOfEachService) {
  v1::Snapshot snapshot = Routed();
  v1::HealthCheckSpec* health = snapshot.mutable_services(1)->mutable_health();
  health->set_path("/ready");
  health->set_method("HEAD");
  health->add_expected()->set_first(204);
  health->mutable_expected(0)->set_last(204);
  const auto assignment = ToAssignment(snapshot);
  ASSERT_TRUE(assignment.ok()) << assignment.status();
  EXPECT_EQ(assignment->services[0].health.method, "GET");
  EXPECT_EQ(assignment->services[0].health.expected, (std::vector<StatusRange>{{200, 399}}));
  EXPECT_EQ(assignment->services[1].health.path, "/ready");
  EXPECT_EQ(assignment->services[1].health.method, "HEAD");
  EXPECT_EQ(assignment->services[1].health.expected, (std::vector<StatusRange>{{204, 204}}));
}

TEST(Convert, SendsEverythingToTheOnlyServiceWhereThereAreNoRoutes) {
  v1::Snapshot snapshot;
  AddService(snapshot, "gone", true);
  AddService(snapshot, "worker");
  const auto assignment = ToAssignment(snapshot);
  ASSERT_TRUE(assignment.ok()) << assignment.status();
  ASSERT_EQ(assignment->routes.size(), 1u);
  EXPECT_TRUE(assignment->routes[0].takes_everything());
  EXPECT_EQ(assignment->routes[0].targets, (std::vector<RouteTarget>{{"worker", 1}}));
}

TEST(Convert, RefusesWhatItCannotRouteByAndSaysWhy) {
  const struct {
    std::function<void(v1::Snapshot&)> spoil;
    const char* why;
  } table[] = {
      {[](v1::Snapshot& s) { s.mutable_routes(0)->mutable_targets(0)->set_service("x"); },
       "route `api`: its service `x` is unknown"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->clear_targets(); },
       "route `api`: it has no service with a weight above 0"},
      {[](v1::Snapshot& s) {
         for (int i : {0, 1}) s.mutable_routes(0)->mutable_targets(i)->set_weight(0);
       },
       "it has no service with a weight above 0"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->mutable_targets(0)->set_service("canary"); },
       "its service `canary` is there twice"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->set_hash_on("cookies:id"); },
       "route `api`: hash-on: `cookies:id` is none of"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->set_host("a:80"); }, "host: `a:80` has a port"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->set_path_prefix("/a/../b"); },
       "path prefix: `/a/../b` is not read alike"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->mutable_headers(0)->set_name("a b"); },
       "`a b` is no name of a header"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->mutable_headers(0)->set_value("a\nb"); },
       "has a control character"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->mutable_connect_timeout()->set_seconds(0); },
       "its connect timeout is below 1ms"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->set_retries(11); }, "its retries are above 10"},
      {[](v1::Snapshot& s) { s.mutable_routes(0)->clear_name(); }, "a route has no name"},
      {[](v1::Snapshot& s) { *s.add_routes() = s.routes(0); }, "route `api` is there twice"},
      {[](v1::Snapshot& s) { s.mutable_services(0)->set_name("canary"); },
       "service `canary` is there twice"},
      {[](v1::Snapshot& s) { s.clear_routes(); }, "several services and no routes"},
      {[](v1::Snapshot& s) { s.mutable_services(0)->mutable_health()->set_method("POST"); },
       "service `stable`: its health check's method `POST` is neither GET nor HEAD"},
  };
  for (const auto& row : table) {
    v1::Snapshot snapshot = Routed();
    row.spoil(snapshot);
    const auto assignment = ToAssignment(snapshot);
    ASSERT_FALSE(assignment.ok()) << row.why;
    EXPECT_NE(MessageOf(assignment.status()).find(row.why), std::string_view::npos)
        << assignment.status();
  }
}

}  // namespace
}  // namespace gocomet::dataplane
