#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace gocomet {

namespace text_internal {
inline void Append(std::string& out, std::string_view piece) { out.append(piece); }
inline void Append(std::string& out, char piece) { out.push_back(piece); }
template <typename T>
requires std::integral<T> || std::floating_point<T>
void Append(std::string& out, T number) { out.append(std::to_string(number)); }
}  // namespace text_internal

// Joins texts and numbers: Cat("port ", 80, " is taken"). Debian's abseil has a string_view of its
// own, which std::string_view does not convert to; hence not absl::StrCat.
template <typename... Pieces>
std::string Cat(const Pieces&... pieces) {
  std::string out;
  (text_internal::Append(out, pieces), ...);
  return out;
}

// The message of a status as a standard view; it lives as long as the status.
inline std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

// The same error with what was being done put before its message; OK stays OK.
inline absl::Status WithContext(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), Cat(context, ": ", MessageOf(status)));
}

}  // namespace gocomet
