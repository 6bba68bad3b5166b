#include "controlplane/runtime/workload_environment.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr std::string_view kBlanks = " \t\v\f\r";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kPortMark = "{port}";

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ParseEnvironmentFile(
    std::string_view text, const std::string& file, const OwnVariable& own_variable) {
  std::map<std::string, std::string> variables;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(kBlanks)));
    if (line.empty() || line.front() == '#') continue;
    const std::string name(line.substr(0, line.find('=')));
    if (name.empty() || name.find_first_of(kBlanks) != std::string::npos ||
        line.find('\0') != std::string_view::npos) {
      return absl::InvalidArgumentError(Cat(file, ":", number,
                                            ": expected NAME=VALUE, with no blank in the name and "
                                            "no zero byte"));
    }
    if (name.size() < line.size()) {
      variables[name] = line.substr(name.size() + 1);
    } else if (const char* own = own_variable(name.c_str()); own != nullptr) {
      variables[name] = own;
    }
  }
  return variables;
}

absl::StatusOr<std::map<std::string, std::string>> ReadEnvironment(const Workload& workload,
                                                                   const std::string& directory) {
  std::map<std::string, std::string> all;
  for (const std::string& file : workload.environment_files) {
    const std::string path = PathFrom(directory, file);
    const auto text = ReadFile(path);
    if (!text.ok()) return WithContext(text.status(), "cannot read a file of environment-files");
    GOCOMET_ASSIGN_OR_RETURN(const auto variables, ParseEnvironmentFile(*text, path, ::getenv));
    for (const auto& [name, value] : variables) all[name] = value;
  }
  for (const auto& [name, value] : workload.environment) all[name] = value;
  return all;
}

std::string WithPort(std::string text, uint16_t port) {
  const std::string number = Cat(port);
  for (size_t at = text.find(kPortMark); at != std::string::npos;
       at = text.find(kPortMark, at + number.size())) {
    text.replace(at, kPortMark.size(), number);
  }
  return text;
}

absl::StatusOr<std::map<std::string, std::string>> EnvironmentOf(const WorkerLaunch& launch,
                                                                 uint16_t port,
                                                                 const std::string& directory) {
  GOCOMET_ASSIGN_OR_RETURN(auto variables, ReadEnvironment(launch.workload, directory));
  variables.try_emplace("PORT", Cat(port));
  for (const auto& [name, value] : launch.workload.environment) {
    variables[name] = WithPort(value, port);
  }
  variables[kInstanceVariable] = launch.instance;
  variables["GOCOMET_SERVICE"] = launch.service;
  variables["GOCOMET_ORDINAL"] = Cat(launch.ordinal);
  return variables;
}

std::string PathFrom(const std::string& directory, const std::string& path) {
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

}  // namespace gocomet::controlplane
