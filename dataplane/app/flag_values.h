#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "common/probe/prober.h"
#include "dataplane/app/director.h"
#include "dataplane/observe/access_policy.h"

namespace gocomet::dataplane {

inline constexpr uint32_t kWeightMax = 100;

// `IP:PORT` or `unix:/PATH`, and where wanted `,weight=N`. The worker's id is its address, so that
// the order of the flags means nothing. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<WantedEndpoint> ParseWorker(std::string_view text);

// `200`, `200-399`, or several of these after commas. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<std::vector<StatusRange>> ParseStatusRanges(std::string_view text);

// A path, and where wanted a query, as a request names it. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<std::string> ParseHealthPath(std::string_view text);

// A host, with or without a port, or any token (RFC 9110, 7.6.3). INVALID_ARGUMENT says so.
absl::StatusOr<std::string> ParseViaName(std::string_view text);

// `all`, `errors`, `slow` or `sample`. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<AccessLogMode> ParseAccessLogMode(std::string_view text);

// A number from 0 to 1. INVALID_ARGUMENT says what is wrong.
absl::StatusOr<double> ParseShare(std::string_view text);

// What is wrong with the flags taken together; empty where nothing is.
std::string FindContradiction(const WantedService& service, Algorithm algorithm);

}  // namespace gocomet::dataplane
