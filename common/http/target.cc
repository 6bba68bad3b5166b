#include "common/http/target.h"

#include "common/http/characters.h"
#include "common/http/message.h"

namespace gocomet::http {
namespace {

bool IsHexDigit(char c) { return IsDigit(c) || (ToLower(c) >= 'a' && ToLower(c) <= 'f'); }

// Takes `[…]` off the front of `text`. The address itself is for those who connect to it.
bool TakeIpLiteral(std::string_view& text) {
  const size_t close = text.find(']');
  if (close == std::string_view::npos || close < 3) return false;
  for (const char c : text.substr(1, close - 1)) {
    if (!IsHexDigit(c) && c != ':' && c != '.') return false;
  }
  text.remove_prefix(close + 1);
  return true;
}

// Takes a name or an IPv4 address off the front: up to the colon of a port, or all of `text`.
bool TakeName(std::string_view& text) {
  while (!text.empty() && text.front() != ':') {
    if (IsNameByte(text.front())) {
      text.remove_prefix(1);
    } else if (text.size() >= 3 && text[0] == '%' && IsHexDigit(text[1]) && IsHexDigit(text[2])) {
      text.remove_prefix(3);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

bool IsHost(std::string_view text) {
  if (!(text.starts_with('[') ? TakeIpLiteral(text) : TakeName(text))) return false;
  if (text.empty()) return true;
  if (text.front() != ':' || text.size() > 6) return false;
  for (const char c : text.substr(1)) {
    if (!IsDigit(c)) return false;
  }
  return true;
}

AbsoluteTarget SplitAbsoluteTarget(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (!EqualsIgnoringCase(target.substr(0, kScheme.size()), kScheme)) return {};
  const std::string_view after = target.substr(kScheme.size());
  const size_t end = after.find_first_of("/?");
  return {after.substr(0, end),
          end == std::string_view::npos ? std::string_view() : after.substr(end)};
}

TargetForm FormOf(std::string_view method, std::string_view target) {
  if (target.starts_with('/')) return TargetForm::kOrigin;
  if (target == "*") return method == "OPTIONS" ? TargetForm::kAsterisk : TargetForm::kOther;
  const std::string_view authority = SplitAbsoluteTarget(target).authority;
  // RFC 9110, 4.2.1 and 4.2.4: an http URI without a host, or with a user, is refused.
  const bool has_host = !authority.empty() && !authority.starts_with(':');
  return has_host && IsHost(authority) ? TargetForm::kAbsolute : TargetForm::kOther;
}

}  // namespace gocomet::http
