#pragma once

#include <string_view>
#include <vector>

#include <absl/status/status.h>

#include "gocomet/v1/errors.pb.h"

namespace gocomet::ctl {

// A status with what gRPC carried beside code and message: a serialised v1::ErrorStatus.
absl::Status WithDetails(absl::Status status, std::string_view serialised_error_status);

// The fields that the control plane found at fault, in its order. Empty where the status carries
// none, or carries what cannot be read.
std::vector<v1::FieldViolation> ViolationsOf(const absl::Status& status);

}  // namespace gocomet::ctl
