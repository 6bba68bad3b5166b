#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/config/config_text.h"
#include "controlplane/model/config.h"
#include "controlplane/model/records.h"

namespace gocomet::controlplane {

// The config file as it is at start.
struct LoadedConfig {
  ConfigFile file;
  std::string text;       // Empty where there is no file.
  std::string path;       // Absolute.
  std::string directory;  // Of the file: relative paths in it start here.
  bool exists = false;
};

// Reads and validates. A missing file means the defaults. `parsed` gets every fault of the text.
absl::StatusOr<LoadedConfig> LoadConfigFile(const std::string& path, ParsedConfig& parsed);

// `path` as it is meant in a config file of that directory.
std::string ResolvePath(const std::string& directory, const std::string& path);

// What is wanted at start.
struct StartingPoint {
  Config config;
  std::vector<Revision> revisions;  // Ascending; the last one is the newest.
  bool added = false;               // The last one is new and is to be stored.
  std::string notice;               // For people; empty where all is as in the file.
};

// The file is a new revision only where its content differs from the last revision that came from a
// file; otherwise the newest one stands, whatever its source. Pure.
absl::StatusOr<StartingPoint> ChooseStart(const LoadedConfig& loaded,
                                          std::vector<Revision> revisions, WallTime now);

}  // namespace gocomet::controlplane
