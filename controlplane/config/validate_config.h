#pragma once

#include <string>
#include <vector>

#include "controlplane/config/place.h"
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

// Pure. `places`: of the keys that were written. Ports that run past 65535 or into each other,
// addresses that are open to the network, services that cannot be run or replaced, routes that lead
// nowhere.
ConfigFindings ValidateConfig(const ConfigFile& file, const Places& places);

// Its parts.
void ValidatePorts(const ConfigFile& file, ConfigFindings& findings);
void ValidateServices(const Config& config, const Places& places, ConfigFindings& findings);
void ValidateRoutes(const Config& config, const Places& places, ConfigFindings& findings);

// The keys under which a service's value may stand: the flat one, too, of the service `worker`.
std::vector<std::string> ServiceKeyPaths(const Service& service, const std::string& key,
                                         const std::string& flat);

// Why a runtime cannot run a service; empty where it can.
std::string WhyNotRunBy(RuntimeKind runtime, const Service& service);

}  // namespace gocomet::controlplane
