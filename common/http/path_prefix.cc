#include "common/http/path_prefix.h"

#include <vector>

#include "common/base/text.h"
#include "common/http/characters.h"
#include "common/http/path_readings.h"

namespace gocomet::http {

absl::StatusOr<PathPrefix> PathPrefix::Parse(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return absl::InvalidArgumentError(Cat("`", text, "` ", why));
  };
  if (!text.starts_with('/')) return wrong("does not begin with a slash, as /api does");
  if (text.find_first_of("?#") != std::string_view::npos) {
    return wrong("has a `?` or `#`; a prefix is of the path alone");
  }
  if (!IsTarget(text)) return wrong("has a character that no path has; percent-encode it");
  std::vector<std::string> readings = ReadingsOf(text);
  if (readings.size() > 1) {
    return wrong(
        "is not read alike by all servers: it must have no empty segment, no `.` or `..`, "
        "no `;`, no backslash and no %2F");
  }
  PathPrefix prefix;
  prefix.text_ = std::move(readings.front());
  if (prefix.text_.ends_with('/')) prefix.text_.pop_back();
  return prefix;
}

}  // namespace gocomet::http
