#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/place.h"
#include "controlplane/model/config.h"

// Config text to values and back. The only place that knows YAML.
namespace gocomet::controlplane {

// One fault, at its place in the text.
struct ConfigProblem {
  std::string file;
  uint32_t line = 0;  // 1-based; 0 where the fault has no place in the text.
  uint32_t column = 0;
  std::string key;      // Path such as `control-plane.grpc`; empty for the text as a whole.
  std::string message;  // What is wrong, what was expected, the nearest known key.

  // `config.yaml:3:9: worker: expected …`, as compilers print it.
  std::string ToString() const;
};

struct ParsedConfig {
  ConfigFile file;                      // Meaningful only where `problems` is empty.
  std::vector<ConfigProblem> problems;  // All of them, in the order of the text.
  // What works, but not as well as it could; only where there are no problems.
  std::vector<ConfigProblem> warnings;
  Places places;
  bool ok() const { return problems.empty(); }
};

// Parses and validates. Nothing is clamped, guessed or ignored. Never throws; bounded in time and
// memory for any input of up to kConfigBytesMax (a longer one is a problem of its own). Relative
// paths stay as they are: the caller knows the file's directory.
ParsedConfig ParseConfig(std::string_view text, std::string_view file_name);

inline constexpr size_t kConfigBytesMax = 1 << 20;

// What `wanted` asks of a control plane that runs and that only its next start can give: one
// problem per key. `runtime` is the one that was chosen, never kAuto.
std::vector<ConfigProblem> FindRestartKeys(const ProcessSettings& running, RuntimeKind runtime,
                                           const ParsedConfig& wanted, std::string_view file_name);

// How a config is written.
enum class ConfigForm : uint8_t {
  kShort,  // The seven keys first, then what differs from the defaults.
  kLong,   // Every key that means something, with its value; no flat key for a service.
};

// The services of `wanted` that the chosen runtime (never kAuto) cannot run: one problem for each.
std::vector<ConfigProblem> FindUnfitServices(RuntimeKind runtime, const ParsedConfig& wanted,
                                             std::string_view file_name);

// Both of the above.
std::vector<ConfigProblem> FindUnmetDemands(const ProcessSettings& running, RuntimeKind runtime,
                                            const ParsedConfig& wanted, std::string_view file_name);

// A comment-free config text that ParseConfig reads back to the same value.
std::string RenderConfig(const ConfigFile& file, ConfigForm form = ConfigForm::kShort);

// Hex SHA-256 of the canonical form of the part that a revision holds. Equal exactly where the
// configs are.
std::string ContentHash(const Config& config);

struct FieldChange {
  std::string field;
  std::string old_value;
  std::string new_value;
};

// The differences, one per field, in the order of config.yaml. What may be a secret is `(hidden)`.
std::vector<FieldChange> DiffConfigs(const Config& from, const Config& to);

}  // namespace gocomet::controlplane
