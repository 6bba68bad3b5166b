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

struct ProcessStat {
  pid_t session = 0;
  uint64_t start_ticks = 0;
};

// Fields 6 and 22 of the text of /proc/PID/stat. Its second field is the program's name in
// parentheses, which may hold spaces and parentheses itself. INVALID_ARGUMENT where the text is
// something else.
absl::StatusOr<ProcessStat> ParseProcessStat(std::string_view stat);

// NOT_FOUND where no such process exists. One that has ended and was not waited for still exists.
absl::StatusOr<ProcessIdentity> IdentifyProcess(pid_t pid);

// The processes whose argument list holds each of `arguments`, pairs such as {"--id", "x"} in
// adjacent places. Those of other users that may not be read are left out.
std::vector<ProcessIdentity> FindProcesses(
    const std::vector<std::pair<std::string, std::string>>& arguments);

// The processes that lead a session and were started with this variable in their environment. Those
// of other users are left out.
std::vector<ProcessIdentity> FindSessionLeaders(const std::string& variable,
                                                const std::string& value);

// The other processes of the session that `leader` led and that came after it. None where another
// process has the leader's number now.
std::vector<ProcessIdentity> FindSession(const ProcessIdentity& leader);

// Differs after each start of the machine.
std::string BootId();

}  // namespace gocomet::controlplane
