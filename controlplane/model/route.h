#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Which requests go to which services, as values. Pure.
namespace gocomet::controlplane {

// How a balancer chooses among the workers of a service.
enum class Algorithm : uint8_t {
  kRoundRobin,
  kLeastRequests,
  kTwoChoices,
  kConsistentHash,
};

// As in config.yaml and the balancer's flags: `round-robin`, `least-requests`, `two-choices`,
// `consistent-hash`.
const char* ToString(Algorithm algorithm);

struct HeaderMatch {
  std::string name;                  // Compared without case.
  std::optional<std::string> value;  // The whole value of one field line; none: it is there.
  bool operator==(const HeaderMatch&) const = default;
};

struct RouteTarget {
  std::string service;
  uint32_t weight = 1;  // Its share of the route's requests is weight / sum of weights.
  bool operator==(const RouteTarget&) const = default;
};

// The first route, in order, whose host, path prefix and headers all match takes the request.
struct Route {
  std::string name;  // Unique among the routes.
  std::string host;  // Exact, or `*.SUFFIX`; without port; empty: any.
  std::string path_prefix =
      "/";  // Of whole segments: `/api` takes `/api` and `/api/x`, not `/apix`.
  std::vector<HeaderMatch> headers;
  std::vector<RouteTarget> targets;
  Algorithm algorithm = Algorithm::kRoundRobin;
  std::string hash_on;  // With kConsistentHash: `header:NAME`, `cookie:NAME`, `client-address`.
  // Unset: the balancer's own.
  std::optional<std::chrono::milliseconds> connect_timeout;
  std::optional<std::chrono::milliseconds> response_timeout;
  std::optional<std::chrono::milliseconds> body_timeout;
  std::optional<uint32_t> retries;
  bool operator==(const Route&) const = default;
};

}  // namespace gocomet::controlplane
