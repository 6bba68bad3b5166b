#pragma once

#include <string>
#include <string_view>

#include <absl/status/status.h>

#include "common/base/text.h"

namespace gocomet::controlplane {

// Where a status keeps the name of the request's field that is at fault.
inline constexpr char kFieldPayload[] = "gocomet.v1/field";

// The same status, which names the field of the request that led to it. OK stays OK.
inline absl::Status AtField(std::string_view field, absl::Status status) {
  status.SetPayload(kFieldPayload, absl::Cord(std::string(field)));
  return status;
}

// INVALID_ARGUMENT about one field of a request; the message begins with the field.
inline absl::Status InvalidField(std::string_view field, std::string_view message) {
  return AtField(field, absl::InvalidArgumentError(Cat(field, ": ", message)));
}

}  // namespace gocomet::controlplane
