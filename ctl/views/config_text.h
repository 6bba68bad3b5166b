#pragma once

#include <string>

#include <google/protobuf/repeated_field.h>

#include "gocomet/v1/config.pb.h"

namespace gocomet::ctl {

// `config.yaml:3:9: worker: expected …`, one line per problem, as compilers print them.
std::string ProblemLines(const google::protobuf::RepeatedPtrField<v1::ConfigProblem>& problems);

// What would change and what would happen, for people.
std::string PlanText(const v1::PlanConfigResponse& plan);

// One line for each field that changes; `  worker: 3 -> 4`.
std::string ChangeLines(const google::protobuf::RepeatedPtrField<v1::FieldChange>& changes);

// What differs between two revisions, one line per field.
std::string DiffText(const v1::DiffRevisionsResponse& diff);

}  // namespace gocomet::ctl
