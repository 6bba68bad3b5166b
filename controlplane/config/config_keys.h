#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "controlplane/config/yaml_tree.h"
#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// One key of config.yaml: the only place that says what it may hold and where its value lives.
struct ConfigKey {
  enum class Part : uint8_t {
    kService,  // Of the config's only service.
    kConfig,   // Of the revision as a whole.
    kProcess,  // Read once at start.
  };

  std::string path;      // `worker`, `control-plane.grpc`
  std::string expected;  // `a whole number from 0 to 1000`
  Part part = Part::kConfig;
  bool is_main = false;  // One of the seven, which are always written out.

  // Takes a scalar into the file; false where it is not what was expected.
  std::function<bool(const YamlNode& scalar, ConfigFile& file)> read;
  // The value in YAML, quoted where it must be.
  std::function<std::string(const ConfigFile& file)> write;
};

// All of them, in the order of config.yaml.
std::span<const ConfigKey> ConfigKeys();

// Nullptr where there is none.
const ConfigKey* FindConfigKey(std::string_view path);

// The one key whose value is a mapping.
inline constexpr std::string_view kControlPlaneGroup = "control-plane";

// What the flat keys are about. A text always describes exactly one service.
Service& OnlyService(ConfigFile& file);
const Service& OnlyService(const ConfigFile& file);

}  // namespace gocomet::controlplane
