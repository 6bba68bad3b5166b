#pragma once

#include <vector>

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {

// The same code and message, with the field at fault as a Violations detail where there is one.
grpc::Status ToGrpc(const absl::Status& status);

// INVALID_ARGUMENT with every problem of a config text, in words and as Violations.
grpc::Status ToGrpc(const std::vector<ConfigProblem>& problems);

}  // namespace gocomet::controlplane
