#pragma once

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

// Which paths a rule is for. Pure.
namespace gocomet::http {

// All paths that begin with the same segments: `/api` takes `/api`, `/api/` and `/api/x`, but not
// `/apix`; `/` takes any. With case.
class PathPrefix {
 public:
  // Takes any path.
  PathPrefix() = default;
  // A path that all servers read alike; characters may be percent-encoded, a slash at the end means
  // nothing. INVALID_ARGUMENT says what is wrong.
  static absl::StatusOr<PathPrefix> Parse(std::string_view text);

  bool takes_any() const { return text_.empty(); }
  // `reading` is a plain path, or one of a path's readings (common/http/path_readings.h).
  bool Takes(std::string_view reading) const {
    return reading.starts_with(text_) &&
           (reading.size() == text_.size() || reading[text_.size()] == '/' || text_.empty());
  }

  bool operator==(const PathPrefix&) const = default;

 private:
  std::string text_;  // Decoded, without a slash at the end.
};

}  // namespace gocomet::http
