#include "common/http/path_readings.h"

#include <algorithm>
#include <cstdint>

#include "common/http/characters.h"

namespace gocomet::http {
namespace {

enum class Parameters : uint8_t { kKept, kDroppedFirst, kDroppedDecoded };
enum class Dots : uint8_t { kKept, kLiteralOnes, kAll, kLiteralOnesThenAll };

// What one kind of server does.
struct Habits {
  bool other_slashes = false;
  bool merges_slashes = false;
  Parameters parameters = Parameters::kKept;
  Dots dots = Dots::kKept;
};

// A value of 0 to 15; -1 where it is no hexadecimal digit.
int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The character that `text` encodes at `at`, or -1 where it encodes none there.
int EncodedAt(std::string_view text, size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return -1;
  const int high = HexValue(text[at + 1]);
  const int low = HexValue(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Decodes a path once. A percent sign stays encoded, and so does a slash unless it is read as one:
// decoded they would be something else.
std::string Decoded(std::string_view path, bool other_slashes) {
  std::string decoded;
  decoded.reserve(path.size());
  for (size_t at = 0; at < path.size(); ++at) {
    const int code = EncodedAt(path, at);
    const char c = code < 0 ? path[at] : static_cast<char>(code);
    if (c == '\\' && other_slashes) {
      decoded.push_back('/');
    } else if (code == '/') {
      decoded.append(other_slashes ? "/" : "%2F");
    } else if (code == '%') {
      decoded.append("%25");
    } else {
      decoded.push_back(c);
    }
    if (code >= 0) at += 2;
  }
  return decoded;
}

// Calls visit(segment) for each part between slashes; of `/a/` those are `a` and an empty one.
template <typename Visit>
void ForEachSegment(std::string_view path, Visit visit) {
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    visit(path.substr(0, slash), slash == std::string_view::npos);
    if (slash == std::string_view::npos) return;
    path.remove_prefix(slash + 1);
  }
}

bool IsDots(std::string_view segment) { return segment == "." || segment == ".."; }

// RFC 3986, 5.2.4.
void Resolve(std::string_view dots, bool is_last, std::string& path) {
  if (dots == "..") path.erase(path.empty() ? 0 : path.rfind('/'));
  if (is_last) path.push_back('/');
}

// Drops the parameters of every segment.
std::string WithoutParameters(std::string_view path) {
  std::string without;
  ForEachSegment(path, [&](std::string_view segment, bool) {
    without.append("/").append(segment.substr(0, segment.find(';')));
  });
  return without;
}

// Resolves dots and merges slashes.
std::string Normal(std::string_view path, bool dots, bool merges) {
  std::string normal;
  if (!dots && !merges && path.starts_with('/')) return normal.assign(path);
  ForEachSegment(path, [&](std::string_view segment, bool is_last) {
    if (dots && IsDots(segment)) return Resolve(segment, is_last, normal);
    if (merges && segment.empty() && !is_last) return;
    normal.append("/").append(segment);
  });
  return normal;
}

std::string Read(std::string_view path, const Habits& habits) {
  std::string text(path);
  if (habits.parameters == Parameters::kDroppedFirst) text = WithoutParameters(text);
  if (habits.dots == Dots::kLiteralOnes || habits.dots == Dots::kLiteralOnesThenAll) {
    text = Normal(text, true, habits.merges_slashes);
  }
  text = Decoded(text, habits.other_slashes);
  if (habits.parameters == Parameters::kDroppedDecoded) text = WithoutParameters(text);
  const bool all_dots = habits.dots == Dots::kAll || habits.dots == Dots::kLiteralOnesThenAll;
  return Normal(text, all_dots, habits.merges_slashes);
}

// What there is in a path that servers treat differently.
struct Oddities {
  explicit Oddities(std::string_view path) {
    const std::string decoded = Decoded(path, false);
    other_slashes =
        decoded.find('\\') != std::string::npos || decoded.find("%2F") != std::string::npos;
    parameters = decoded.find(';') != std::string::npos;
    // Whatever is read as a slash, or dropped, may leave dots or nothing between two slashes.
    empty_segments = other_slashes || parameters || decoded.find("//") != std::string::npos;
    dots = decoded.find(other_slashes ? "." : "/.") != std::string::npos;
  }

  bool any() const { return other_slashes || parameters || empty_segments || dots; }

  bool other_slashes = false;
  bool parameters = false;
  bool empty_segments = false;
  bool dots = false;
};

}  // namespace

bool IsPlainPath(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (size_t at = 1; at < path.size(); ++at) {
    const char c = path[at];
    if (c == '%' || c == '\\' || c == ';') return false;
    if (path[at - 1] != '/') continue;
    if (c == '/') return false;
    if (c != '.') continue;
    const std::string_view segment = path.substr(at, path.find('/', at) - at);
    if (IsDots(segment)) return false;
  }
  return true;
}

std::vector<std::string> ReadingsOf(std::string_view path, size_t bytes_max) {
  std::vector<std::string> readings;
  const Oddities odd(path);
  if (odd.any() && path.size() > bytes_max) return readings;
  for (const bool other_slashes : {false, true}) {
    if (other_slashes && !odd.other_slashes) continue;
    for (const bool merges_slashes : {false, true}) {
      if (merges_slashes && !odd.empty_segments) continue;
      for (const Parameters parameters :
           {Parameters::kKept, Parameters::kDroppedFirst, Parameters::kDroppedDecoded}) {
        if (parameters != Parameters::kKept && !odd.parameters) continue;
        for (const Dots dots :
             {Dots::kKept, Dots::kLiteralOnes, Dots::kAll, Dots::kLiteralOnesThenAll}) {
          if (dots != Dots::kKept && !odd.dots) continue;
          std::string reading = Read(path, {other_slashes, merges_slashes, parameters, dots});
          if (std::find(readings.begin(), readings.end(), reading) == readings.end()) {
            readings.push_back(std::move(reading));
          }
        }
      }
    }
  }
  return readings;
}

}  // namespace gocomet::http
