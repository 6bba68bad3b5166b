#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/config_text.h"
#include "controlplane/config/validate_config.h"

namespace gocomet::controlplane {
namespace {

class RestartKeys {
 public:
  RestartKeys(const ParsedConfig& wanted, std::string_view file_name)
      : wanted_(wanted), file_name_(file_name) {}

  void CompareProcess(const ConfigKey& group, const void* now, const void* then,
                      const std::string& path) {
    for (const ConfigKey& key : group.group->keys) {
      if (key.part != ConfigKey::Part::kProcess) continue;
      const std::string below = path.empty() ? key.name : Cat(path, ".", key.name);
      if (key.group) {
        CompareProcess(key, Enter(key, now), Enter(key, then), below);
      } else {
        Compare(below, FlowText(key, now), FlowText(key, then), key.is_hidden);
      }
    }
  }

  void Compare(const std::string& key, const std::string& now, const std::string& then,
               bool is_hidden) {
    if (now == then) return;
    const std::string difference =
        is_hidden
            ? "is not what it is in the running control plane"
            : Cat("is ", Shown(now), " in the running control plane and ", Shown(then), " here");
    const auto found = wanted_.places.find(key);
    const Place place = found == wanted_.places.end() ? Place{} : found->second;
    problems_.push_back({std::string(file_name_), place.line, place.column, key,
                         Cat(difference, ": change it in the file and restart the control plane")});
  }

  std::vector<ConfigProblem> Take() && { return std::move(problems_); }

 private:
  static std::string Shown(const std::string& yaml) {
    if (yaml.empty()) return "not set";
    return yaml.starts_with('"') ? yaml : Cat("'", yaml, "'");
  }

  const ParsedConfig& wanted_;
  const std::string_view file_name_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace

std::vector<ConfigProblem> FindRestartKeys(const ProcessSettings& running, RuntimeKind runtime,
                                           const ParsedConfig& wanted, std::string_view file_name) {
  const ConfigFile now{{}, running};
  RestartKeys keys(wanted, file_name);
  const RuntimeKind then = wanted.file.config.runtime;
  if (then != RuntimeKind::kAuto) keys.Compare("runtime", ToString(runtime), ToString(then), false);
  keys.CompareProcess(ConfigRoot(), &now, &wanted.file, "");
  return std::move(keys).Take();
}

std::vector<ConfigProblem> FindUnfitServices(RuntimeKind runtime, const ParsedConfig& wanted,
                                             std::string_view file_name) {
  std::vector<ConfigProblem> problems;
  for (const Service& service : wanted.file.config.services) {
    std::string why_not = WhyNotRunBy(runtime, service);
    if (why_not.empty()) continue;
    const std::string key =
        Cat("services.", service.name, ".", service.workload.image.empty() ? "command" : "image");
    const auto found = wanted.places.find(key);
    const Place place = found == wanted.places.end() ? Place{} : found->second;
    problems.push_back({std::string(file_name), place.line, place.column, key, std::move(why_not)});
  }
  return problems;
}

std::vector<ConfigProblem> FindUnmetDemands(const ProcessSettings& running, RuntimeKind runtime,
                                            const ParsedConfig& wanted,
                                            std::string_view file_name) {
  std::vector<ConfigProblem> problems = FindRestartKeys(running, runtime, wanted, file_name);
  for (ConfigProblem& problem : FindUnfitServices(runtime, wanted, file_name)) {
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace gocomet::controlplane
