#include "controlplane/runtime/process_identity.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// Counted as proc(5) does, from 1.
constexpr int kStateField = 3;
constexpr int kStartTimeField = 22;

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::vector<std::string_view> SplitArguments(std::string_view command_line) {
  std::vector<std::string_view> arguments;
  while (!command_line.empty()) {
    const size_t end = command_line.find('\0');
    arguments.push_back(command_line.substr(0, end));
    if (end == std::string_view::npos) break;
    command_line.remove_prefix(end + 1);
  }
  return arguments;
}

bool HoldsPair(const std::vector<std::string_view>& arguments, std::string_view name,
               std::string_view value) {
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == name && arguments[i + 1] == value) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<uint64_t> ParseStartTicks(std::string_view stat) {
  const absl::Status malformed =
      absl::InvalidArgumentError(Cat("'", stat, "' is not the text of a /proc/PID/stat"));
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return malformed;
  std::string_view rest = stat.substr(name_end + 2);
  for (int field = kStateField; field < kStartTimeField; ++field) {
    const size_t space = rest.find(' ');
    if (space == std::string_view::npos) return malformed;
    rest.remove_prefix(space + 1);
  }
  uint64_t ticks = 0;
  if (!ParseNumber(rest.substr(0, rest.find(' ')), ticks)) return malformed;
  return ticks;
}

absl::StatusOr<ProcessIdentity> IdentifyProcess(pid_t pid) {
  const auto stat = ReadFile(Cat("/proc/", pid, "/stat"));
  if (!stat.ok()) return absl::NotFoundError(Cat("process ", pid, " does not exist"));
  GOCOMET_ASSIGN_OR_RETURN(const uint64_t ticks, ParseStartTicks(*stat));
  return ProcessIdentity{pid, ticks};
}

std::vector<ProcessIdentity> FindProcesses(
    const std::vector<std::pair<std::string, std::string>>& arguments) {
  std::vector<ProcessIdentity> found;
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    pid_t pid = 0;
    if (!ParseNumber<pid_t>(entry->path().filename().string(), pid)) continue;
    const auto command_line = ReadFile(Cat("/proc/", pid, "/cmdline"));
    if (!command_line.ok()) continue;
    const std::vector<std::string_view> given = SplitArguments(*command_line);
    const bool matches = std::all_of(arguments.begin(), arguments.end(), [&](const auto& pair) {
      return HoldsPair(given, pair.first, pair.second);
    });
    if (!matches) continue;
    const auto identity = IdentifyProcess(pid);
    if (identity.ok()) found.push_back(*identity);
  }
  return found;
}

std::string BootId() {
  auto text = ReadFile("/proc/sys/kernel/random/boot_id");
  if (!text.ok()) return "";
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *std::move(text);
}

}  // namespace gocomet::controlplane
