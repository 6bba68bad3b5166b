#include "controlplane/runtime/worker_program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <string_view>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/workload_environment.h"

namespace gocomet::controlplane {
namespace {

constexpr std::string_view kOwnPrefix = "GOCOMET_";
constexpr char kStandardPath[] = "/usr/local/bin:/usr/bin:/bin";

bool IsFile(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

bool IsExecutable(const std::string& path) {
  return IsFile(path) && ::access(path.c_str(), X_OK) == 0;
}

absl::Status NotExecutable(const std::string& path) {
  return absl::PermissionDeniedError(
      Cat("the program ", path, " may not be executed; allow it: chmod +x ", path));
}

std::map<std::string, std::string> OwnEnvironment() {
  std::map<std::string, std::string> variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view text(*each);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || text.starts_with(kOwnPrefix)) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

// That of the worker goes before ours.
absl::StatusOr<std::map<std::string, std::string>> WholeEnvironmentOf(
    const WorkerLaunch& launch, const std::string& directory) {
  GOCOMET_ASSIGN_OR_RETURN(auto variables, EnvironmentOf(launch, launch.port, directory));
  variables.merge(OwnEnvironment());
  return variables;
}

absl::StatusOr<ProcessLaunch> Prepare(const WorkerLaunch& launch, const std::string& directory) {
  const Workload& workload = launch.workload;
  if (workload.command.empty()) {
    return absl::InvalidArgumentError(
        "it has an image and no command, and the runtime is `process`; give it a command, or use "
        "`runtime: docker`");
  }
  ProcessLaunch process;
  process.working_directory = PathFrom(directory, workload.working_directory);
  if (::access(process.working_directory.c_str(), X_OK) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot use its working-directory ",
                                          process.working_directory, "; make it, or name another"));
  }
  GOCOMET_ASSIGN_OR_RETURN(auto variables, WholeEnvironmentOf(launch, directory));
  const auto path = variables.find("PATH");
  GOCOMET_ASSIGN_OR_RETURN(process.program,
                           FindProgram(WithPort(workload.command.front(), launch.port),
                                       path == variables.end() ? kStandardPath : path->second,
                                       process.working_directory));
  for (size_t i = 1; i < workload.command.size(); ++i) {
    process.arguments.push_back(WithPort(workload.command[i], launch.port));
  }
  process.environment.emplace();
  for (const auto& [name, value] : variables) {
    process.environment->push_back(Cat(name, "=", value));
  }
  process.data_bytes_max = workload.resources.memory_bytes;
  return process;
}

}  // namespace

absl::StatusOr<std::string> FindProgram(const std::string& name, const std::string& path,
                                        const std::string& directory) {
  if (name.find('/') != std::string::npos) {
    std::string program = PathFrom(directory, name);
    if (IsExecutable(program)) return program;
    if (IsFile(program)) return NotExecutable(program);
    return absl::NotFoundError(Cat("there is no program ", program,
                                   "; build it, or correct the "
                                   "command"));
  }
  std::string not_executable;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    // An empty place is the working directory: POSIX, "Environment Variables", PATH.
    std::string program =
        PathFrom(directory, Cat(path.substr(begin, end - begin), begin == end ? "" : "/", name));
    if (!name.empty() && IsExecutable(program)) return program;
    if (not_executable.empty() && IsFile(program)) not_executable = program;
    begin = end + 1;
  }
  if (!not_executable.empty()) return NotExecutable(not_executable);
  return absl::NotFoundError(Cat("there is no program '", name, "' in PATH (", path,
                                 "); install it, or name its path, such as ./", name));
}

absl::StatusOr<ProcessLaunch> ProcessOf(const WorkerLaunch& launch, const std::string& directory) {
  auto process = Prepare(launch, directory);
  if (process.ok()) return process;
  return WithContext(process.status(), Cat("the service ", launch.service));
}

int SignalNumber(const std::string& name) {
  static const std::map<std::string, int> kNumbers = {
      {"SIGTERM", SIGTERM}, {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT},  {"SIGHUP", SIGHUP},
      {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGWINCH", SIGWINCH}};
  const auto found = kNumbers.find(name);
  return found == kNumbers.end() ? SIGTERM : found->second;
}

}  // namespace gocomet::controlplane
