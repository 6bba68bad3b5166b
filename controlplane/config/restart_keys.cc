#include "common/base/text.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {

std::vector<ConfigProblem> FindRestartKeys(const ProcessSettings& running, RuntimeKind runtime,
                                           const ParsedConfig& wanted, std::string_view file_name) {
  std::vector<ConfigProblem> problems;
  const auto compare = [&](const char* key, const std::string& now, const std::string& then) {
    if (now == then) return;
    const auto found = wanted.places.find(key);
    const Place place = found == wanted.places.end() ? Place{} : found->second;
    problems.push_back({std::string(file_name), place.line, place.column, key,
                        Cat("is '", now, "' in the running control plane and '", then,
                            "' here: change it in the file and restart the control plane")});
  };
  const ProcessSettings& then = wanted.file.process;
  compare("stats-dir", running.database_file, then.database_file);
  compare("state-dir", running.state_directory, then.state_directory);
  compare("control-plane.grpc", running.grpc_address, then.grpc_address);
  compare("control-plane.http", running.http_address, then.http_address);
  if (wanted.file.config.runtime != RuntimeKind::kAuto) {
    compare("runtime", ToString(runtime), ToString(wanted.file.config.runtime));
  }
  return problems;
}

}  // namespace gocomet::controlplane
