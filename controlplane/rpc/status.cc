#include "controlplane/rpc/status.h"

#include <string>

#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "gocomet/v1/errors.pb.h"

namespace gocomet::controlplane {
namespace {

// Clients refuse trailers above 8 KiB unless they were told otherwise. Message and details both
// travel there, the message percent-encoded.
constexpr size_t kMessageBytesMax = 2048;
constexpr size_t kViolationsBytesMax = 3584;

grpc::Status WithViolations(grpc::StatusCode code, const std::string& message,
                            const v1::Violations& violations) {
  v1::ErrorStatus details;
  details.set_code(code);
  details.add_details()->PackFrom(violations);
  return {code, message, details.SerializeAsString()};
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  // Both are the canonical codes, with the same numbers.
  const auto code = static_cast<grpc::StatusCode>(status.raw_code());
  const std::string message(MessageOf(status));
  const auto field = status.GetPayload(kFieldPayload);
  if (!field) return {code, message};
  v1::Violations violations;
  v1::FieldViolation* violation = violations.add_violations();
  violation->set_field(std::string(*field));
  violation->set_message(message);
  return WithViolations(code, message, violations);
}

grpc::Status ToGrpc(const std::vector<ConfigProblem>& problems) {
  std::string message =
      Cat("the config has ", problems.size(),
          problems.size() == 1 ? " problem; nothing changed" : " problems; nothing changed");
  v1::Violations violations;
  size_t said = 0;
  for (const ConfigProblem& problem : problems) {
    const std::string line = ReplaceInvalidUtf8(problem.ToString());
    if (said == static_cast<size_t>(violations.violations_size()) &&
        message.size() + line.size() < kMessageBytesMax) {
      message += "\n" + line;
      ++said;
    }
    v1::FieldViolation violation;
    violation.set_field(problem.key.empty() ? "config_yaml" : ReplaceInvalidUtf8(problem.key));
    violation.set_message(line);
    if (violations.ByteSizeLong() + violation.ByteSizeLong() > kViolationsBytesMax) break;
    *violations.add_violations() = std::move(violation);
  }
  if (said < problems.size()) {
    message += Cat("\nand ", problems.size() - said, " more; ValidateConfig answers with all");
  }
  return WithViolations(grpc::StatusCode::INVALID_ARGUMENT, message, violations);
}

}  // namespace gocomet::controlplane
