#include "dataplane/agent/convert_route.h"

#include <chrono>
#include <optional>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/http/characters.h"

namespace gocomet::dataplane {
namespace {

constexpr uint32_t kRetriesMax = 10;

absl::Status Wrong(const std::string& text) { return absl::InvalidArgumentError(text); }

absl::StatusOr<std::optional<std::chrono::milliseconds>> ToTimeout(
    bool is_set, const google::protobuf::Duration& duration, std::string_view what) {
  if (!is_set) return std::optional<std::chrono::milliseconds>();
  const std::chrono::milliseconds time(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
  if (time.count() < 1) return Wrong(Cat("its ", what, " timeout is below 1ms"));
  return std::optional(time);
}

absl::StatusOr<Algorithm> ToAlgorithm(v1::BalancingAlgorithm algorithm) {
  switch (algorithm) {
    case v1::BALANCING_ALGORITHM_UNSPECIFIED:
    case v1::BALANCING_ALGORITHM_ROUND_ROBIN:
      return Algorithm::kRoundRobin;
    case v1::BALANCING_ALGORITHM_LEAST_REQUESTS:
      return Algorithm::kLeastRequests;
    case v1::BALANCING_ALGORITHM_TWO_CHOICES:
      return Algorithm::kTwoChoices;
    case v1::BALANCING_ALGORITHM_CONSISTENT_HASH:
      return Algorithm::kConsistentHash;
    default:
      return Wrong(Cat("its algorithm ", static_cast<int>(algorithm), " is unknown"));
  }
}

absl::Status TakeHeaders(const v1::RouteSpec& proto, Route& route) {
  for (const v1::HeaderMatch& header : proto.headers()) {
    if (!http::IsToken(header.name())) {
      return Wrong(Cat("`", header.name(), "` is no name of a header"));
    }
    HeaderMatch match{header.name(), std::nullopt};
    if (header.has_value()) {
      if (!http::IsFieldValue(header.value())) {
        return Wrong(Cat("the value for header ", header.name(), " has a control character"));
      }
      match.value = header.value();
    }
    route.headers.push_back(std::move(match));
  }
  return absl::OkStatus();
}

absl::Status TakeTargets(const v1::RouteSpec& proto,
                         const std::set<std::string, std::less<>>& services, Route& route) {
  uint64_t sum = 0;
  std::set<std::string, std::less<>> seen;
  for (const v1::RouteTarget& target : proto.targets()) {
    if (!services.contains(target.service())) {
      return Wrong(Cat("its service `", target.service(), "` is unknown"));
    }
    if (!seen.insert(target.service()).second) {
      return Wrong(Cat("its service `", target.service(), "` is there twice"));
    }
    route.targets.push_back({target.service(), target.weight()});
    sum += target.weight();
  }
  if (sum == 0) return Wrong("it has no service with a weight above 0");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Route> ToRoute(const v1::RouteSpec& proto,
                              const std::set<std::string, std::less<>>& services) {
  Route route;
  route.name = proto.name();
  auto host = http::HostPattern::Parse(proto.host());
  if (!host.ok()) return WithContext(host.status(), "host");
  route.host = *std::move(host);
  auto path = http::PathPrefix::Parse(proto.path_prefix().empty() ? "/" : proto.path_prefix());
  if (!path.ok()) return WithContext(path.status(), "path prefix");
  route.path = *std::move(path);
  if (absl::Status status = TakeHeaders(proto, route); !status.ok()) return status;
  if (absl::Status status = TakeTargets(proto, services, route); !status.ok()) return status;
  const auto algorithm = ToAlgorithm(proto.algorithm());
  if (!algorithm.ok()) return algorithm.status();
  route.algorithm = *algorithm;
  if (!proto.hash_on().empty()) {
    auto hash_on = HashOn::Parse(proto.hash_on());
    if (!hash_on.ok()) return WithContext(hash_on.status(), "hash-on");
    route.hash_on = *std::move(hash_on);
  } else if (route.algorithm == Algorithm::kConsistentHash) {
    route.hash_on = HashOn{};
  }
  const auto connect = ToTimeout(proto.has_connect_timeout(), proto.connect_timeout(), "connect");
  if (!connect.ok()) return connect.status();
  const auto response =
      ToTimeout(proto.has_response_timeout(), proto.response_timeout(), "response");
  if (!response.ok()) return response.status();
  const auto body = ToTimeout(proto.has_body_timeout(), proto.body_timeout(), "body");
  if (!body.ok()) return body.status();
  route.limits = {*connect, *response, *body, std::nullopt};
  if (proto.has_retries()) {
    if (proto.retries() > kRetriesMax) return Wrong(Cat("its retries are above ", kRetriesMax));
    route.limits.retries_max = proto.retries();
  }
  return route;
}

}  // namespace gocomet::dataplane
