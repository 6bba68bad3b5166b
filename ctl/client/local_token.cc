#include "ctl/client/local_token.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/token_file.h"

namespace gocomet::ctl {
namespace {

constexpr std::string_view kListening = "0A";
constexpr uint32_t kRoot = 0;

// Fields of a line of /proc/net/tcp (proc(5)), counted from 0.
constexpr size_t kLocalAddress = 1;
constexpr size_t kState = 3;
constexpr size_t kUser = 7;

std::vector<std::string_view> FieldsOf(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    const size_t start = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(start);
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return fields;
}

std::optional<uint32_t> Number(std::string_view text, int base) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<uint32_t> ListenersOn(std::string_view proc_net_tcp, uint16_t port) {
  std::vector<uint32_t> users;
  while (!proc_net_tcp.empty()) {
    const size_t end = std::min(proc_net_tcp.find('\n'), proc_net_tcp.size());
    const std::vector<std::string_view> fields = FieldsOf(proc_net_tcp.substr(0, end));
    proc_net_tcp.remove_prefix(std::min(end + 1, proc_net_tcp.size()));
    if (fields.size() <= kUser || fields[kState] != kListening) continue;
    const std::string_view local = fields[kLocalAddress];
    if (Number(local.substr(local.rfind(':') + 1), 16) != port) continue;
    if (const auto user = Number(fields[kUser], 10)) users.push_back(*user);
  }
  return users;
}

absl::StatusOr<std::string> ReadLocalToken(const std::string& token_file, uint16_t port) {
  struct stat file {};
  if (::stat(token_file.c_str(), &file) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot look at ", token_file));
  }
  const auto table = ReadFile("/proc/net/tcp");
  const auto table_of_ipv6 = ReadFile("/proc/net/tcp6");
  std::vector<uint32_t> users = ListenersOn(table.value_or(""), port);
  for (const uint32_t user : ListenersOn(table_of_ipv6.value_or(""), port)) users.push_back(user);
  const bool all_known = std::all_of(users.begin(), users.end(), [&](uint32_t user) {
    return user == kRoot || user == file.st_uid;
  });
  if (users.empty() || !all_known) {
    return absl::PermissionDeniedError(
        Cat("whoever listens on port ", port, " does not run as the owner of ", token_file));
  }
  return ReadTokenFile(token_file);
}

}  // namespace gocomet::ctl
