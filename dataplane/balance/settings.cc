#include "dataplane/balance/settings.h"

#include <array>
#include <utility>

#include "common/base/text.h"
#include "common/http/characters.h"
#include "dataplane/balance/stable_hash.h"

namespace gocomet::dataplane {
namespace {

constexpr std::array<std::pair<Algorithm, std::string_view>, 5> kAlgorithms = {{
    {Algorithm::kRoundRobin, "round-robin"},
    {Algorithm::kWeighted, "weighted"},
    {Algorithm::kLeastRequests, "least-requests"},
    {Algorithm::kTwoChoices, "two-choices"},
    {Algorithm::kConsistentHash, "consistent-hash"},
}};

constexpr std::string_view kHeaderPrefix = "header:";
constexpr std::string_view kCookiePrefix = "cookie:";
constexpr std::string_view kClientAddress = "client-address";

// The value of a cookie in one Cookie field, `a=1; b=2` (RFC 6265, 4.2.1).
std::optional<std::string_view> FindCookie(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const size_t end = cookies.find(';');
    std::string_view pair = cookies.substr(0, end);
    while (pair.starts_with(' ') || pair.starts_with('\t')) pair.remove_prefix(1);
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return pair.substr(equals + 1);
    }
    if (end == std::string_view::npos) break;
    cookies.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Algorithm> ParseAlgorithm(std::string_view text) {
  std::string names;
  for (const auto& [algorithm, name] : kAlgorithms) {
    if (name == text) return algorithm;
    names += Cat(names.empty() ? "" : ", ", name);
  }
  return absl::InvalidArgumentError(Cat("`", text, "` is none of ", names));
}

std::string_view NameOf(Algorithm algorithm) {
  for (const auto& [known, name] : kAlgorithms) {
    if (known == algorithm) return name;
  }
  return "unknown";
}

absl::StatusOr<HashOn> HashOn::Parse(std::string_view text) {
  if (text == kClientAddress) return HashOn{};
  HashOn on;
  if (text.starts_with(kHeaderPrefix)) {
    on = {Source::kHeader, std::string(text.substr(kHeaderPrefix.size()))};
  } else if (text.starts_with(kCookiePrefix)) {
    on = {Source::kCookie, std::string(text.substr(kCookiePrefix.size()))};
  } else {
    return absl::InvalidArgumentError(
        Cat("`", text, "` is none of header:NAME, cookie:NAME, client-address"));
  }
  if (!http::IsToken(on.name)) {
    return absl::InvalidArgumentError(
        Cat("`", text, "` names no header or cookie: a name is made of letters, digits and -_"));
  }
  return on;
}

std::string HashOn::ToString() const {
  switch (source) {
    case Source::kHeader:
      return Cat(kHeaderPrefix, name);
    case Source::kCookie:
      return Cat(kCookiePrefix, name);
    case Source::kClientAddress:
      break;
  }
  return std::string(kClientAddress);
}

std::optional<uint64_t> HashOn::KeyOf(const http::Fields& fields,
                                      std::string_view client_ip) const {
  switch (source) {
    case Source::kClientAddress:
      return StableHash(client_ip);
    case Source::kHeader:
      if (const http::Field* field = fields.Find(name)) return StableHash(field->value);
      return std::nullopt;
    case Source::kCookie:
      for (const http::Field& field : fields) {
        if (!http::EqualsIgnoringCase(field.name, "cookie")) continue;
        if (const auto value = FindCookie(field.value, name)) return StableHash(*value);
      }
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace gocomet::dataplane
