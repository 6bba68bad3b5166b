#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace gocomet {

// `500ms`, `5s`, `2m`, `1h`, `250us`, and sums of them such as `1m30s`. A number needs a unit, but
// for 0. INVALID_ARGUMENT names the text and the form that was expected.
absl::StatusOr<std::chrono::microseconds> ParseDuration(std::string_view text);

// The shortest text that ParseDuration reads back to the same value.
std::string FormatDuration(std::chrono::microseconds duration);

// For people: `45s`, `3m20s`, `2h14m`, `3d4h`; at most two units, rounded down.
std::string FormatAge(std::chrono::seconds age);

}  // namespace gocomet
