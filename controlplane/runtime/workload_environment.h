#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "controlplane/model/service.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

// The value of an environment variable of this program, nothing where it is not set.
using OwnVariable = std::function<const char*(const char* name)>;

// The variables of a file as Docker's `--env-file` takes it: a line each of `NAME=VALUE`, where
// everything behind the first `=` is the value, quotes too; `NAME` alone takes our own variable of
// that name, where there is one. Blank lines and those that begin with `#` are left out. A later
// line replaces an earlier one. INVALID_ARGUMENT names file and line. Values never appear in
// errors. Source: docker run(1), "--env-file".
absl::StatusOr<std::map<std::string, std::string>> ParseEnvironmentFile(
    std::string_view text, const std::string& file, const OwnVariable& own_variable);

// What a workload adds to the environment: its files in their order, then its own variables.
// Relative paths start at `directory`. The error says which file cannot be read.
absl::StatusOr<std::map<std::string, std::string>> ReadEnvironment(const Workload& workload,
                                                                   const std::string& directory);

// Tells a worker's process, also where its record was lost.
inline constexpr char kInstanceVariable[] = "GOCOMET_INSTANCE";

// Where `{port}` stands in a command or the value of a variable, the port that the program is to
// listen on.
std::string WithPort(std::string text, uint16_t port);

// What a worker that is to listen on `port` finds in its environment: PORT, unless its workload
// sets it; what the workload adds, with `{port}` in its own variables replaced; and who it is, in
// GOCOMET_INSTANCE, GOCOMET_SERVICE and GOCOMET_ORDINAL.
absl::StatusOr<std::map<std::string, std::string>> EnvironmentOf(const WorkerLaunch& launch,
                                                                 uint16_t port,
                                                                 const std::string& directory);

// The path itself where it is absolute, else below `directory`.
std::string PathFrom(const std::string& directory, const std::string& path);

}  // namespace gocomet::controlplane
