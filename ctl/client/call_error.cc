#include "ctl/client/call_error.h"

#include <string>

#include <absl/strings/cord.h>

namespace gocomet::ctl {
namespace {

constexpr char kDetailsPayload[] = "gocomet.v1/error-status";

}  // namespace

absl::Status WithDetails(absl::Status status, std::string_view serialised_error_status) {
  if (!serialised_error_status.empty()) {
    status.SetPayload(kDetailsPayload, absl::Cord(std::string(serialised_error_status)));
  }
  return status;
}

std::vector<v1::FieldViolation> ViolationsOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kDetailsPayload);
  v1::ErrorStatus details;
  if (!payload || !details.ParseFromString(std::string(*payload))) return {};
  std::vector<v1::FieldViolation> all;
  for (const google::protobuf::Any& detail : details.details()) {
    v1::Violations violations;
    if (!detail.UnpackTo(&violations)) continue;
    all.insert(all.end(), violations.violations().begin(), violations.violations().end());
  }
  return all;
}

}  // namespace gocomet::ctl
