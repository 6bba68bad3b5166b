#pragma once

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

// Which hosts a rule is for. Pure.
namespace gocomet::http {

// What of `uri-host [ ":" port ]`, which is well-formed, names the host: no port, and no dot at the
// end, which only says that the name is complete (RFC 1034, 3.1).
std::string_view NameOfHost(std::string_view host);

// One host, all below one, or any. Names are compared without case (RFC 9110, 4.2.3) and addresses
// as texts: `[::1]` is not `[0:0:0:0:0:0:0:1]`.
class HostPattern {
 public:
  // Takes any host, and requests that name none.
  HostPattern() = default;
  // `example.org`, `192.0.2.1` or `[::1]` takes just that; `*.example.org` takes `a.example.org`
  // and `a.b.example.org`, but not `example.org`; the empty text takes any. INVALID_ARGUMENT says
  // what is wrong.
  static absl::StatusOr<HostPattern> Parse(std::string_view text);

  bool takes_any() const { return name_.empty(); }
  // `name` is what NameOfHost gave.
  bool Takes(std::string_view name) const;
  std::string ToString() const;

  bool operator==(const HostPattern&) const = default;

 private:
  std::string name_;  // In lower case; with all below it: `.SUFFIX`.
  bool with_all_below_ = false;
};

}  // namespace gocomet::http
