#pragma once

#include <functional>
#include <set>
#include <string>

#include <absl/status/statusor.h>

#include "dataplane/route/route.h"
#include "gocomet/v1/config.pb.h"

namespace gocomet::dataplane {

// A route to some of these services. INVALID_ARGUMENT says what is wrong with it.
absl::StatusOr<Route> ToRoute(const v1::RouteSpec& proto,
                              const std::set<std::string, std::less<>>& services);

}  // namespace gocomet::dataplane
