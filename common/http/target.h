#pragma once

#include <string_view>

// Where a request is addressed to (RFC 9112, 3.2 and 3.3). Pure.
namespace gocomet::http {

// `uri-host [ ":" port ]` (RFC 3986, 3.2.2 and 3.2.3): a name, an IPv4 address, or an IPv6 address
// in brackets; no user, no path, no list. May be empty, as Host may.
bool IsHost(std::string_view text);

enum class TargetForm : unsigned char { kOrigin, kAbsolute, kAsterisk, kOther };

// The parts of `http://authority/path?query`.
struct AbsoluteTarget {
  std::string_view authority;  // Empty where the target is of another form.
  std::string_view rest;       // May be empty, or begin with `?`.
};
AbsoluteTarget SplitAbsoluteTarget(std::string_view target);

// kAsterisk is for OPTIONS alone. kOther is not a form that a gateway can serve.
TargetForm FormOf(std::string_view method, std::string_view target);

}  // namespace gocomet::http
