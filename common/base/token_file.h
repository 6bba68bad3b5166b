#pragma once

#include <string>

#include <absl/status/statusor.h>

namespace gocomet {

// The token that a file holds for the header of a call: one line of visible ASCII characters, its
// line end left out. INVALID_ARGUMENT where it holds anything else; errors name the path.
absl::StatusOr<std::string> ReadTokenFile(const std::string& path);

}  // namespace gocomet
