#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "dataplane/app/director.h"
#include "gocomet/v1/sync.pb.h"

namespace gocomet::dataplane {

// Checks a snapshot again on arrival: whoever sent it, a wrong one must change nothing.
absl::StatusOr<Assignment> ToAssignment(const v1::Snapshot& snapshot);

// Everything counted so far; cumulative. On the main loop's thread.
v1::BalancerReport MakeReport(const Director& director, uint64_t sequence);

}  // namespace gocomet::dataplane
