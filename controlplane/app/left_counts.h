#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "controlplane/model/records.h"

namespace gocomet::controlplane {

// What the balancer of that name counted for each worker, from the file that it counts in: for when
// it cannot say so itself any more. DATA_LOSS where the file cannot be read; nothing where there is
// none.
absl::StatusOr<std::vector<BalancedTotals>> ReadLeftCounts(const std::string& balancer,
                                                           const std::string& path);

}  // namespace gocomet::controlplane
