#include "controlplane/rpc/status.h"

#include <string>

#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "gocomet/v1/errors.pb.h"

namespace gocomet::controlplane {
namespace {

grpc::Status WithViolations(grpc::StatusCode code, const std::string& message,
                            const v1::Violations& violations) {
  v1::ErrorStatus details;
  details.set_code(code);
  details.set_message(message);
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
  for (const ConfigProblem& problem : problems) {
    message += "\n" + problem.ToString();
    v1::FieldViolation* violation = violations.add_violations();
    violation->set_field(problem.key);
    violation->set_message(problem.ToString());
  }
  return WithViolations(grpc::StatusCode::INVALID_ARGUMENT, message, violations);
}

}  // namespace gocomet::controlplane
