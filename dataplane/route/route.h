#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/http/host_pattern.h"
#include "common/http/path_prefix.h"
#include "dataplane/balance/settings.h"

// Which requests go to which services, as values. Pure.
namespace gocomet::dataplane {

struct HeaderMatch {
  std::string name;                  // Compared without case.
  std::optional<std::string> value;  // The whole value of one field line; none: it is there.
  bool operator==(const HeaderMatch&) const = default;
};

struct RouteTarget {
  std::string service;
  uint32_t weight = 1;  // Its share of the route's requests is weight / sum of weights; 0: none.
  bool operator==(const RouteTarget&) const = default;
};

// What bounds the requests of one route; where there is nothing, the balancer's own limit does.
struct RouteLimits {
  std::optional<std::chrono::milliseconds> connect_timeout;
  std::optional<std::chrono::milliseconds> response_timeout;
  std::optional<std::chrono::milliseconds> body_timeout;
  std::optional<uint32_t> retries_max;
  bool operator==(const RouteLimits&) const = default;
};

struct Route {
  std::string name;  // Empty for the one that takes everything where the config has none.
  http::HostPattern host;
  http::PathPrefix path;
  std::vector<HeaderMatch> headers;  // All of them must match.
  std::vector<RouteTarget> targets;  // With a weight above 0 at least once.
  Algorithm algorithm = Algorithm::kRoundRobin;
  // What keeps requests with one service of several and, with kConsistentHash, with one worker.
  std::optional<HashOn> hash_on;
  RouteLimits limits;

  bool takes_everything() const { return host.takes_any() && path.takes_any() && headers.empty(); }
  bool operator==(const Route&) const = default;
};

}  // namespace gocomet::dataplane
