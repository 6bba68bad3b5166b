#include "dataplane/route/router.h"

#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/http/parse_head.h"
#include "common/http/request_rules.h"

namespace gocomet::dataplane {
namespace {

using Verdict = Router::Verdict;

Route RouteOf(const std::string& name, const std::string& host, const std::string& path,
              std::vector<HeaderMatch> headers = {}) {
  Route route;
  route.name = name;
  route.host = *http::HostPattern::Parse(host);
  route.path = *http::PathPrefix::Parse(path);
  route.headers = std::move(headers);
  route.targets = {{name}};
  return route;
}

// The name of the route that takes a request with this head, or why there is none.
std::string Taken(const Router& router, const std::string& lines, bool trusted = true) {
  const std::string bytes = lines + "\r\n";
  http::RequestHead head;
  EXPECT_EQ(http::ParseRequestHead(bytes, 0, http::HeadLimits{}, head).state, http::Parse::kDone)
      << lines;
  const http::RequestMeaning meaning = http::UnderstandRequest(head);
  EXPECT_TRUE(meaning.ok) << lines;
  const Router::Result result = router.Find(AddressOf(head, meaning.form, trusted));
  switch (result.verdict) {
    case Verdict::kFound:
      return result.entry->route.name;
    case Verdict::kNoRoute:
      return "404";
    case Verdict::kAmbiguousPath:
      return "ambiguous path";
    case Verdict::kAmbiguousHost:
      return "ambiguous host";
  }
  return "";
}

std::string Get(const std::string& target, const std::string& host = "h",
                const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields;
}

TEST(Router, FindsNothingWhereThereAreNoRoutes) { EXPECT_EQ(Taken(Router(), Get("/")), "404"); }

TEST(Router, TakesTheFirstRouteThatMatches) {
  std::vector<Route> routes;
  routes.push_back(RouteOf("admin", "admin.example", "/"));
  routes.push_back(RouteOf("canary", "", "/api", {{"X-Canary", std::nullopt}}));
  routes.push_back(RouteOf("v1", "*.example", "/api/v1"));
  routes.push_back(RouteOf("api", "", "/api"));
  const Router router(std::move(routes));
  const struct {
    std::string lines;
    const char* route;
  } table[] = {
      {Get("/", "admin.example"), "admin"},
      {Get("/api/v1", "ADMIN.example.:80"), "admin"},
      {Get("/api?x", "h", "x-canary:\r\n"), "canary"},
      {Get("/api/v1/x", "a.example"), "v1"},
      {Get("/api/v1/x", "a.example.evil"), "api"},
      {Get("/api/v10", "a.example"), "api"},
      {Get("/api", "h"), "api"},
      {Get("/api?/../admin", "h"), "api"},
      {Get("/apis", "h"), "404"},
      {Get("/", "h"), "404"},
      // An absolute-form target names the host, whatever Host says (RFC 9112, 3.2.2).
      {Get("http://admin.example/x", "h"), "admin"},
      {Get("http://h:80/api", "admin.example"), "api"},
      {Get("http://admin.example", "h"), "admin"},
      {Get("http://admin.example?q", "h"), "admin"},
      // About the server as a whole: for any path alone.
      {"OPTIONS * HTTP/1.1\r\nHost: admin.example\r\n", "admin"},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n", "404"},
      {"OPTIONS http://admin.example HTTP/1.1\r\nHost: h\r\n", "admin"},
      // Without a host: for any host alone.
      {"GET /api HTTP/1.0\r\n", "api"},
      {"GET / HTTP/1.0\r\n", "404"},
      {Get("/api", ""), "api"},
      {Get("/", "%61dmin.example"), "ambiguous host"},
  };
  for (const auto& row : table) EXPECT_EQ(Taken(router, row.lines), row.route) << row.lines;
}

TEST(Router, NeverGuessesWhereServersReadAPathDifferently) {
  std::vector<Route> routes;
  routes.push_back(RouteOf("admin", "", "/admin"));
  routes.push_back(RouteOf("api", "", "/api"));
  routes.push_back(RouteOf("rest", "", "/"));
  const Router router(std::move(routes));
  const struct {
    const char* target;
    const char* route;
  } table[] = {
      {"/api/%41", "api"},
      {"/%61pi/x", "api"},
      {"/api/a%2Fb", "api"},
      {"/api//x", "api"},
      {"/api/x;y=1", "api"},
      {"/api/./x", "api"},
      {"/x/../y", "rest"},
      {"/x//y", "rest"},
      {"/%252e%252e/admin", "rest"},
      {"/api/../admin", "ambiguous path"},
      {"/api/%2e%2e/admin", "ambiguous path"},
      {"/api/..%2fadmin", "ambiguous path"},
      {"/api/..\\admin", "ambiguous path"},
      {"/api/..;/admin", "ambiguous path"},
      {"//admin", "ambiguous path"},
      {"/.//admin", "ambiguous path"},
      {"/admin;x", "ambiguous path"},
      {"/admin%2Fx", "ambiguous path"},
      {"/x/../admin", "ambiguous path"},
      {"/admin/..", "ambiguous path"},
      {"http://h//admin", "ambiguous path"},
  };
  for (const auto& row : table) EXPECT_EQ(Taken(router, Get(row.target)), row.route) << row.target;
}

TEST(Router, ReadsNoLongPathInManyWays) {
  const Router router({RouteOf("api", "", "/api"), RouteOf("rest", "", "/")});
  const std::string plain = "/api/" + std::string(3000, 'x');
  std::string encoded = "/api/";
  for (int i = 0; i < 1000; ++i) encoded += "%C3";
  EXPECT_EQ(Taken(router, Get(plain)), "api");
  EXPECT_EQ(Taken(router, Get(encoded)), "api") << "there is but one reading";
  EXPECT_EQ(Taken(router, Get(plain + "//x")), "ambiguous path");
}

TEST(Router, LooksAtNoPathWhereNoRouteDoes) {
  std::vector<Route> routes;
  routes.push_back(RouteOf("a", "a", "/"));
  routes.push_back(RouteOf("b", "b", "/"));
  EXPECT_EQ(Taken(Router(std::move(routes)), Get("//x/..%2f;", "b")), "b");
}

TEST(Router, MatchesHeadersByPresenceOrWholeValue) {
  std::vector<Route> routes;
  routes.push_back(RouteOf("both", "", "/", {{"A", "1"}, {"B", std::nullopt}}));
  routes.push_back(RouteOf("value", "", "/", {{"a", "1"}}));
  routes.push_back(RouteOf("forwarded", "", "/", {{"X-Forwarded-Proto", "https"}}));
  const Router router(std::move(routes));
  const struct {
    const char* fields;
    const char* route;
  } table[] = {
      {"a: 1\r\nb: x\r\n", "both"},  {"a: 1\r\n", "value"},  {"A:\t1 \r\n", "value"},
      {"a: 0\r\na: 1\r\n", "value"}, {"a: 1, 2\r\n", "404"}, {"a: 11\r\n", "404"},
      {"b: 1\r\n", "404"},           {"aa: 1\r\n", "404"},   {"", "404"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(Taken(router, Get("/", "h", row.fields)), row.route) << row.fields;
  }
  const std::string forwarded = Get("/", "h", "X-Forwarded-Proto: https\r\n");
  EXPECT_EQ(Taken(router, forwarded), "forwarded");
  EXPECT_EQ(Taken(router, forwarded, false), "404") << "no worker would see the field either";
}

// --- Which of a route's services

Route Canary(uint32_t stable, uint32_t canary, bool by_key = false) {
  Route route = RouteOf("r", "", "/");
  route.targets = {{"stable", stable}, {"canary", canary}};
  if (by_key) route.hash_on = HashOn{};
  return route;
}

std::string Choose(const Router& router, std::optional<uint64_t> key = std::nullopt) {
  const Router::Entry& entry = router.entries().front();
  return entry.route.targets[entry.Choose(key)].service;
}

std::map<std::string, int> Shares(const Router& router, int requests) {
  std::map<std::string, int> shares;
  for (int i = 0; i < requests; ++i) ++shares[Choose(router)];
  return shares;
}

TEST(Router, SharesARouteExactlyByWeight) {
  EXPECT_EQ(Shares(Router({Canary(95, 5)}), 1000),
            (std::map<std::string, int>{{"stable", 950}, {"canary", 50}}));
  EXPECT_EQ(Shares(Router({Canary(100, 0)}), 50), (std::map<std::string, int>{{"stable", 50}}));
  EXPECT_EQ(Shares(Router({Canary(0, 7)}), 50), (std::map<std::string, int>{{"canary", 50}}));
}

TEST(Router, SharesExactlyBetweenThreads) {
  const Router router({Canary(3, 1)});
  std::atomic<int> canary{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) canary += Choose(router) == "canary" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(canary, 1000);
}

TEST(Router, KeepsAKeyWithOneServiceAndGivesNoneBackWhileACanaryGrows) {
  const Router before({Canary(90, 10, true)});
  const Router after({Canary(50, 50, true)}, &before);
  int canary_before = 0;
  int canary_after = 0;
  for (uint64_t key = 0; key < 20'000; ++key) {
    const uint64_t hash = Mix(key + 1);
    const std::string service = Choose(before, hash);
    EXPECT_EQ(Choose(before, hash), service);
    const std::string later = Choose(after, hash);
    if (service == "canary") {
      EXPECT_EQ(later, "canary");
    }
    canary_before += service == "canary" ? 1 : 0;
    canary_after += later == "canary" ? 1 : 0;
  }
  EXPECT_NEAR(canary_before, 2000, 200);
  EXPECT_NEAR(canary_after, 10'000, 300);
  EXPECT_EQ(Shares(before, 100), (std::map<std::string, int>{{"stable", 90}, {"canary", 10}}))
      << "requests without a key take turns";
}

TEST(Router, GoesOnWithTheTurnsOfARouteThatStays) {
  const Router before({Canary(1, 1)});
  const std::string first = Choose(before);
  const Router after({Canary(1, 1)}, &before);
  EXPECT_NE(Choose(after), first);
  EXPECT_EQ(Choose(before), first) << "threads that have not changed yet share them";
}

}  // namespace
}  // namespace gocomet::dataplane
