#pragma once

#include <string>
#include <vector>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

struct CanonicalField {
  std::string name;  // As in config.yaml where there is such a key.
  std::string value;
};

// Every field of the part that a revision holds, in the order of config.yaml and then of the
// structs. Two configs are equal exactly where these are.
std::vector<CanonicalField> CanonicalFields(const Config& config);

}  // namespace gocomet::controlplane
