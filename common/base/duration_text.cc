#include "common/base/duration_text.h"

#include <charconv>
#include <cstdint>
#include <limits>

#include "common/base/text.h"

namespace gocomet {
namespace {

struct Unit {
  std::string_view name;
  int64_t microseconds;
};

// Longest first: formatting takes the largest unit that fits.
constexpr Unit kUnits[] = {
    {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}};

// About 285 years: no sum of two durations overflows.
constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / 1024;

absl::Status Malformed(std::string_view text) {
  return absl::InvalidArgumentError(
      Cat("'", text, "' is not a duration: expected a number with a unit (us, ms, s, m, h), ",
          "such as 500ms, 5s or 1m30s"));
}

}  // namespace

absl::StatusOr<std::chrono::microseconds> ParseDuration(std::string_view text) {
  if (text == "0") return std::chrono::microseconds(0);
  if (text.empty()) return Malformed(text);
  int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc()) return Malformed(text);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    size_t letters = 0;
    while (letters < rest.size() && (rest[letters] < '0' || rest[letters] > '9')) ++letters;
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (candidate.name == rest.substr(0, letters)) unit = &candidate;
    }
    if (unit == nullptr) return Malformed(text);
    rest.remove_prefix(letters);
    if (number > kLongest / unit->microseconds) return Malformed(text);
    total += static_cast<int64_t>(number) * unit->microseconds;
    if (total > kLongest) return Malformed(text);
  }
  return std::chrono::microseconds(total);
}

std::string FormatDuration(std::chrono::microseconds duration) {
  int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (rest >= unit.microseconds) {
      text += Cat(rest / unit.microseconds, unit.name);
      rest %= unit.microseconds;
    }
  }
  return text;
}

std::string FormatAge(std::chrono::seconds age) {
  const int64_t s = age.count() < 0 ? 0 : age.count();
  if (s < 60) return Cat(s, "s");
  if (s < 3600) return Cat(s / 60, "m", s % 60, "s");
  if (s < 86400) return Cat(s / 3600, "h", s % 3600 / 60, "m");
  return Cat(s / 86400, "d", s % 86400 / 3600, "h");
}

}  // namespace gocomet
