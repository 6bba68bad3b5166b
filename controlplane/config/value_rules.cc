#include "controlplane/config/value_rules.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "common/base/address.h"
#include "common/base/text.h"
#include "common/http/characters.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kPathBytesMax = 1024;
constexpr size_t kLabelBytesMax = 40;
constexpr size_t kNameBytesMax = 256;
constexpr size_t kHeaderValueBytesMax = 8192;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLowerOrDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z'); }
bool IsLetterOrDigit(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }

template <typename Accepts>
bool AllAre(std::string_view text, Accepts accepts) {
  return std::all_of(text.begin(), text.end(), accepts);
}

// Calls `accepts` with each piece between separators; false once it is.
template <typename Accepts>
bool EachPiece(std::string_view text, char separator, Accepts accepts) {
  while (true) {
    const size_t end = text.find(separator);
    if (!accepts(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

template <typename Number>
std::optional<Number> ParseDigits(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct MemoryUnit {
  std::string_view name;
  uint64_t bytes;
};
// Formatting takes the first one that divides the size.
constexpr MemoryUnit kMemoryUnits[] = {{"TiB", 1ull << 40},
                                       {"TB", 1'000'000'000'000},
                                       {"GiB", 1ull << 30},
                                       {"GB", 1'000'000'000},
                                       {"MiB", 1ull << 20},
                                       {"MB", 1'000'000},
                                       {"KiB", 1ull << 10},
                                       {"KB", 1'000},
                                       {"B", 1}};
constexpr uint64_t kMemoryMax = 1ull << 50;

// Separated by `.`, `_`, `__` or any number of `-`, which stand between other characters.
bool IsRepositoryComponent(std::string_view text) {
  if (text.empty() || !IsLowerOrDigit(text.front()) || !IsLowerOrDigit(text.back())) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsLowerOrDigit(text[i]) || text[i] == '-') continue;
    if (text[i] != '.' && text[i] != '_') return false;
    const bool doubled = text[i] == text[i - 1] && (text[i] == '.' || text[i - 2] == '_');
    if (doubled || (text[i] != text[i - 1] && !IsLowerOrDigit(text[i - 1]))) return false;
  }
  return true;
}

bool IsRegistry(std::string_view text) {
  const size_t colon = text.rfind(':');
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view("1") : text.substr(colon + 1);
  const std::string_view host = text.substr(0, colon);
  return !host.empty() && ParseDigits<uint16_t>(port).value_or(0) != 0 &&
         AllAre(host, [](char c) { return IsLetterOrDigit(c) || c == '.' || c == '-'; });
}

bool IsTag(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text[0] != '.' && text[0] != '-' &&
         AllAre(text,
                [](char c) { return IsLetterOrDigit(c) || c == '.' || c == '-' || c == '_'; });
}

bool IsDigest(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view hex = text.substr(colon + 1);
  return hex.size() >= 32 && AllAre(text.substr(0, colon), IsLowerOrDigit) &&
         AllAre(hex, [](char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); });
}

bool IsUserOrGroup(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text[0] != '-' && AllAre(text, [](char c) {
    return IsLetterOrDigit(c) || c == '.' || c == '-' || c == '_';
  });
}

bool IsHostLabel(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         AllAre(text, [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '_'; });
}

bool HasDotSegment(std::string_view path) {
  return !EachPiece(path, '/', [](auto segment) { return segment != "." && segment != ".."; });
}

}  // namespace

bool IsPath(const std::string& text) {
  return !text.empty() && text.size() <= kPathBytesMax &&
         AllAre(text, [](char c) { return c < 0 || c >= ' '; });
}
bool IsFilePath(const std::string& text) { return IsPath(text) && text.back() != '/'; }
bool IsAbsolutePath(const std::string& text) {
  return IsPath(text) && text[0] == '/' && !HasDotSegment(text);
}

bool IsIp(const std::string& text) { return Address::FromIpAndPort(text, 0).ok(); }

bool IsIpAndPort(const std::string& text) {
  const auto address = Address::Parse(text);
  return address.ok() && !address->is_unix();
}

bool IsEndpoint(const std::string& text) {
  const auto address = Address::Parse(text);
  return address.ok() && (address->is_unix() || address->port() != 0);
}

bool IsLabel(const std::string& text) {
  return !text.empty() && text.size() <= kLabelBytesMax && text.front() != '-' &&
         text.back() != '-' && AllAre(text, [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

bool IsEnvironmentName(const std::string& text) {
  return !text.empty() && text.size() <= kNameBytesMax && !IsDigit(text[0]) &&
         AllAre(text,
                [](char c) { return IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsImage(const std::string& text) {
  if (text.size() > kPathBytesMax) return false;
  std::string_view rest = text;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    if (!IsDigest(rest.substr(at + 1))) return false;
    rest = rest.substr(0, at);
  }
  // Before the first slash stands a registry where it looks like a host.
  const size_t slash = rest.find('/');
  const std::string_view first = rest.substr(0, slash);
  const bool has_registry =
      slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
       !AllAre(first, [](char c) { return c < 'A' || c > 'Z'; }));
  if (has_registry) {
    if (!IsRegistry(first)) return false;
    rest.remove_prefix(slash + 1);
  }
  if (const size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    if (!IsTag(rest.substr(colon + 1))) return false;
    rest = rest.substr(0, colon);
  }
  return EachPiece(rest, '/', IsRepositoryComponent);
}

bool IsUser(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string_view all = text;
  return IsUserOrGroup(all.substr(0, colon)) &&
         (colon == std::string::npos || IsUserOrGroup(all.substr(colon + 1)));
}

bool IsCapability(const std::string& text) {
  constexpr std::string_view kNames[] = {"AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
                                         "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
                                         "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
                                         "FOWNER",          "FSETID",       "IPC_LOCK",
                                         "IPC_OWNER",       "KILL",         "LEASE",
                                         "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
                                         "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
                                         "NET_BROADCAST",   "NET_RAW",      "PERFMON",
                                         "SETFCAP",         "SETGID",       "SETPCAP",
                                         "SETUID",          "SYSLOG",       "SYS_ADMIN",
                                         "SYS_BOOT",        "SYS_CHROOT",   "SYS_MODULE",
                                         "SYS_NICE",        "SYS_PACCT",    "SYS_PTRACE",
                                         "SYS_RAWIO",       "SYS_RESOURCE", "SYS_TIME",
                                         "SYS_TTY_CONFIG",  "WAKE_ALARM"};
  return std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames);
}

bool IsStopSignal(const std::string& text) {
  constexpr std::string_view kNames[] = {"SIGTERM", "SIGINT",  "SIGQUIT", "SIGHUP",
                                         "SIGUSR1", "SIGUSR2", "SIGWINCH"};
  return std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames);
}

bool IsPathPrefix(const std::string& text) {
  if (text == "/") return true;
  return IsRequestPath(text) && text.back() != '/' &&
         text.find_first_of('?') == std::string::npos && text.find("//") == std::string::npos &&
         !HasDotSegment(text);
}

bool IsRequestPath(const std::string& text) {
  return IsPath(text) && text[0] == '/' && http::IsTarget(text);
}

bool IsRouteHost(const std::string& text) {
  std::string_view rest = text;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  return !rest.empty() && text.size() <= 253 && EachPiece(rest, '.', IsHostLabel);
}

bool IsHeaderName(const std::string& text) {
  return text.size() <= kNameBytesMax && http::IsToken(text);
}

bool IsHeaderValue(const std::string& text) {
  return text.size() <= kHeaderValueBytesMax && http::IsFieldValue(text) &&
         http::TrimWhiteSpace(text) == text;
}

bool IsHashKey(const std::string& text) {
  if (text == "client-address") return true;
  const size_t colon = text.find(':');
  if (colon == std::string::npos || !IsHeaderName(text.substr(colon + 1))) return false;
  const std::string_view kind = std::string_view(text).substr(0, colon);
  return kind == "header" || kind == "cookie";
}

std::optional<uint64_t> ParseMemory(std::string_view text) {
  if (text == "0") return 0;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = ParseDigits<uint64_t>(text.substr(0, digits));
  const auto* unit = std::find_if(std::begin(kMemoryUnits), std::end(kMemoryUnits),
                                  [&](const auto& u) { return u.name == text.substr(digits); });
  if (!number || unit == std::end(kMemoryUnits)) return std::nullopt;
  if (*number > kMemoryMax / unit->bytes) return std::nullopt;
  return *number * unit->bytes;
}

std::string FormatMemory(uint64_t bytes) {
  if (bytes == 0) return "0";
  const auto* unit = std::find_if(std::begin(kMemoryUnits), std::end(kMemoryUnits),
                                  [&](const auto& u) { return bytes % u.bytes == 0; });
  return Cat(bytes / unit->bytes, unit->name);
}

std::optional<uint32_t> ParseMillicpus(std::string_view text) {
  const size_t dot = text.find('.');
  const auto whole = ParseDigits<uint32_t>(text.substr(0, dot));
  if (!whole || *whole > 1000) return std::nullopt;
  if (dot == std::string_view::npos) return *whole * 1000;
  const std::string_view decimals = text.substr(dot + 1);
  if (decimals.empty() || decimals.size() > 3 || !AllAre(decimals, IsDigit)) return std::nullopt;
  uint32_t thousandths = 0;
  for (size_t i = 0; i < 3; ++i) {
    const char digit = i < decimals.size() ? decimals[i] : '0';
    thousandths = thousandths * 10 + static_cast<uint32_t>(digit - '0');
  }
  return *whole * 1000 + thousandths;
}

std::string FormatMillicpus(uint32_t millicpus) {
  std::string text = std::to_string(millicpus / 1000);
  if (millicpus % 1000 == 0) return text;
  const std::string thousandths = std::to_string(1000 + millicpus % 1000);
  text += Cat(".", thousandths.substr(1));
  while (text.back() == '0') text.pop_back();
  return text;
}

std::optional<std::vector<ExpectedStatus>> ParseStatuses(std::string_view text) {
  std::vector<ExpectedStatus> statuses;
  const bool fine = EachPiece(text, ',', [&](std::string_view piece) {
    piece = http::TrimWhiteSpace(piece);
    const size_t hyphen = piece.find('-');
    const auto first = ParseDigits<uint16_t>(piece.substr(0, hyphen));
    const auto last =
        hyphen == std::string_view::npos ? first : ParseDigits<uint16_t>(piece.substr(hyphen + 1));
    if (!first || !last || *first < 100 || *last > 599 || *first > *last) return false;
    statuses.push_back({*first, *last});
    return statuses.size() <= 32;
  });
  if (!fine) return std::nullopt;
  return statuses;
}

std::string FormatStatuses(const std::vector<ExpectedStatus>& statuses) {
  std::string text;
  for (const ExpectedStatus& status : statuses) {
    text += Cat(text.empty() ? "" : ", ", status.first);
    if (status.last != status.first) text += Cat("-", status.last);
  }
  return text;
}

std::optional<Volume> ParseVolume(std::string_view text) {
  Volume volume;
  if (text.ends_with(":ro")) {
    volume.read_only = true;
    text.remove_suffix(3);
  } else if (text.ends_with(":rw")) {
    text.remove_suffix(3);
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  volume.source = text.substr(0, colon);
  volume.target = text.substr(colon + 1);
  if (volume.target.find(':') != std::string::npos || !IsPath(volume.source) ||
      !IsAbsolutePath(volume.target)) {
    return std::nullopt;
  }
  return volume;
}

std::string FormatVolume(const Volume& volume) {
  if (volume.source.find(':') != std::string::npos || volume.target.find(':') != std::string::npos)
    return "";
  return Cat(volume.source, ":", volume.target, volume.read_only ? ":ro" : "");
}

}  // namespace gocomet::controlplane
