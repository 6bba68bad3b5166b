#include "common/http/host_pattern.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/http/characters.h"
#include "common/http/message.h"
#include "common/http/target.h"

namespace gocomet::http {
namespace {

constexpr std::string_view kAllBelow = "*.";

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(Cat("`", text, "` ", why));
}

}  // namespace

std::string_view NameOfHost(std::string_view host) {
  // An IPv6 address has colons of its own, in brackets.
  const size_t colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

absl::StatusOr<HostPattern> HostPattern::Parse(std::string_view text) {
  HostPattern pattern;
  if (text.empty()) return pattern;
  pattern.with_all_below_ = text.starts_with(kAllBelow);
  const std::string_view host = text.substr(pattern.with_all_below_ ? kAllBelow.size() : 0);
  const std::string_view name = NameOfHost(host);
  if (host.find(':') != std::string_view::npos && !host.starts_with('[')) {
    return Wrong(text, "has a port, and hosts are compared without; leave it out");
  }
  if (name.find('*') != std::string_view::npos) {
    return Wrong(text,
                 "has a `*` that does not stand alone before the first dot, as in "
                 "*.example.org");
  }
  if (host.find('%') != std::string_view::npos) {
    return Wrong(text, "has a `%`; write the name as it is");
  }
  const bool is_address = host.starts_with('[');
  if (is_address && (pattern.with_all_below_ || !host.ends_with(']'))) {
    return Wrong(text, "is no address in brackets alone, such as [::1]");
  }
  const bool has_empty_label =
      name.starts_with('.') || name.find("..") != std::string_view::npos || name.empty();
  if (has_empty_label || !IsHost(host)) {
    return Wrong(text, "is no name or address of a host, such as example.org or *.example.org");
  }
  if (pattern.with_all_below_) pattern.name_ = '.';
  pattern.name_.append(name);
  std::transform(pattern.name_.begin(), pattern.name_.end(), pattern.name_.begin(), ToLower);
  return pattern;
}

bool HostPattern::Takes(std::string_view name) const {
  if (takes_any()) return true;
  if (!with_all_below_) return EqualsIgnoringCase(name, name_);
  if (name.size() <= name_.size()) return false;
  const size_t below = name.size() - name_.size();
  return EqualsIgnoringCase(name.substr(below), name_);
}

std::string HostPattern::ToString() const { return with_all_below_ ? Cat('*', name_) : name_; }

}  // namespace gocomet::http
