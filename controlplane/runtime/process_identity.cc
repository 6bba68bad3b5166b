#include "controlplane/runtime/process_identity.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <utility>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// Counted as proc(5) does, from 1.
constexpr int kStateField = 3;
constexpr int kSessionField = 6;
constexpr int kStartTimeField = 22;

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string_view> SplitAtZeros(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const size_t end = text.find('\0');
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return pieces;
}

void ForEachProcess(const std::function<void(pid_t)>& visit) {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    pid_t pid = 0;
    if (ParseNumber<pid_t>(entry->path().filename().string(), pid)) visit(pid);
  }
}

absl::StatusOr<ProcessStat> ReadStat(pid_t pid) {
  const auto stat = ReadFile(Cat("/proc/", pid, "/stat"));
  if (!stat.ok()) return absl::NotFoundError(Cat("process ", pid, " does not exist"));
  return ParseProcessStat(*stat);
}

bool HoldsPair(const std::vector<std::string_view>& arguments, std::string_view name,
               std::string_view value) {
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == name && arguments[i + 1] == value) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<ProcessStat> ParseProcessStat(std::string_view stat) {
  const absl::Status malformed =
      absl::InvalidArgumentError(Cat("'", stat, "' is not the text of a /proc/PID/stat"));
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return malformed;
  std::string_view rest = stat.substr(name_end + 2);
  ProcessStat parsed;
  for (int field = kStateField; field < kStartTimeField; ++field) {
    const size_t space = rest.find(' ');
    if (space == std::string_view::npos) return malformed;
    if (field == kSessionField && !ParseNumber(rest.substr(0, space), parsed.session)) {
      return malformed;
    }
    rest.remove_prefix(space + 1);
  }
  if (!ParseNumber(rest.substr(0, rest.find(' ')), parsed.start_ticks)) return malformed;
  return parsed;
}

absl::StatusOr<ProcessIdentity> IdentifyProcess(pid_t pid) {
  GOCOMET_ASSIGN_OR_RETURN(const ProcessStat stat, ReadStat(pid));
  return ProcessIdentity{pid, stat.start_ticks};
}

std::vector<ProcessIdentity> FindProcesses(
    const std::vector<std::pair<std::string, std::string>>& arguments) {
  std::vector<ProcessIdentity> found;
  ForEachProcess([&](pid_t pid) {
    const auto command_line = ReadFile(Cat("/proc/", pid, "/cmdline"));
    if (!command_line.ok()) return;
    const std::vector<std::string_view> given = SplitAtZeros(*command_line);
    const bool matches = std::all_of(arguments.begin(), arguments.end(), [&](const auto& pair) {
      return HoldsPair(given, pair.first, pair.second);
    });
    if (!matches) return;
    const auto identity = IdentifyProcess(pid);
    if (identity.ok()) found.push_back(*identity);
  });
  return found;
}

std::vector<ProcessIdentity> FindSessionLeaders(const std::string& variable,
                                                const std::string& value) {
  const std::string wanted = Cat(variable, "=", value);
  std::vector<ProcessIdentity> found;
  ForEachProcess([&](pid_t pid) {
    const auto environment = ReadFile(Cat("/proc/", pid, "/environ"));
    if (!environment.ok()) return;
    const std::vector<std::string_view> given = SplitAtZeros(*environment);
    if (std::find(given.begin(), given.end(), wanted) == given.end()) return;
    const auto stat = ReadStat(pid);
    if (stat.ok() && stat->session == pid) found.push_back({pid, stat->start_ticks});
  });
  return found;
}

std::vector<ProcessIdentity> FindSession(const ProcessIdentity& leader) {
  const auto now = IdentifyProcess(leader.pid);
  if (now.ok() && *now != leader) return {};
  std::vector<ProcessIdentity> found;
  ForEachProcess([&](pid_t pid) {
    const auto stat = ReadStat(pid);
    if (!stat.ok() || stat->session != leader.pid || pid == leader.pid) return;
    if (stat->start_ticks >= leader.start_ticks) found.push_back({pid, stat->start_ticks});
  });
  return found;
}

std::string BootId() {
  auto text = ReadFile("/proc/sys/kernel/random/boot_id");
  if (!text.ok()) return "";
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *std::move(text);
}

}  // namespace gocomet::controlplane
