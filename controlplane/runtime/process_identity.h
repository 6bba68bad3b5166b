#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

namespace gocomet::controlplane {

// Tells a process from any other that gets its number later. Good until the machine restarts; what
// is kept longer is kept with BootId().
struct ProcessIdentity {
  pid_t pid = 0;             // 0: none.
  uint64_t start_ticks = 0;  // Clock ticks from the machine's start to the process's (proc(5)).
  auto operator<=>(const ProcessIdentity&) const = default;
};

// The start time, field 22, out of the text of /proc/PID/stat. Its second field is the program's
// name in parentheses, which may hold spaces and parentheses itself. INVALID_ARGUMENT where the
// text is something else.
absl::StatusOr<uint64_t> ParseStartTicks(std::string_view stat);

// NOT_FOUND where no such process exists. One that has ended and was not waited for still exists.
absl::StatusOr<ProcessIdentity> IdentifyProcess(pid_t pid);

// The processes whose argument list holds each of `arguments`, pairs such as {"--id", "x"} in
// adjacent places. Those of other users that may not be read are left out.
std::vector<ProcessIdentity> FindProcesses(
    const std::vector<std::pair<std::string, std::string>>& arguments);

// Differs after each start of the machine.
std::string BootId();

}  // namespace gocomet::controlplane
