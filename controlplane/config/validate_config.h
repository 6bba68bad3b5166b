#pragma once

#include <string>
#include <vector>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// A fault between values that are each fine on their own.
struct ConfigFinding {
  // The keys that clash, the one to name first where its value was written by a person.
  std::vector<std::string> keys;
  std::string message;
};

struct ConfigFindings {
  std::vector<ConfigFinding> faults;    // The config cannot work.
  std::vector<ConfigFinding> warnings;  // It works, but for what the message says.
};

// Pure. Ports that run past 65535 or into each other, and addresses that are open to the network.
ConfigFindings ValidateConfig(const ConfigFile& file);

}  // namespace gocomet::controlplane
