#pragma once

#include <string>
#include <vector>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

struct CanonicalField {
  std::string name;  // As in config.yaml: `worker`, `services.web.health.interval`.
  std::string value;
  bool is_default = false;  // What a service or route has of which this was not said.
  bool is_hidden = false;   // The value may be a secret.
};

// Every field of the part that a revision holds, in the order of config.yaml. Two configs are equal
// exactly where these are.
std::vector<CanonicalField> CanonicalFields(const Config& config);

}  // namespace gocomet::controlplane
