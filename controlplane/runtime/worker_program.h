#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "controlplane/runtime/child_processes.h"
#include "controlplane/runtime/runtime_driver.h"

// How a service's command becomes a process.
namespace gocomet::controlplane {

// The absolute path of the program that `name` means to execvp(3): a name without a slash is looked
// for in `path`, another one starts at `directory`. NOT_FOUND and PERMISSION_DENIED say where was
// looked and what to do.
absl::StatusOr<std::string> FindProgram(const std::string& name, const std::string& path,
                                        const std::string& directory);

// The process of a worker with a command, but for its log files. Its environment is ours without
// the variables whose names begin with GOCOMET_, beneath that of the worker (EnvironmentOf).
// `{port}` in arguments is the worker's port. Relative paths start at `directory`. Every error
// names the service.
absl::StatusOr<ProcessLaunch> ProcessOf(const WorkerLaunch& launch, const std::string& directory);

// The number of `SIGTERM`, `SIGINT` and their like; of SIGTERM for what is not known.
int SignalNumber(const std::string& name);

}  // namespace gocomet::controlplane
