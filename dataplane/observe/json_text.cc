#include "dataplane/observe/json_text.h"

#include <cstddef>
#include <cstdint>

namespace gocomet::dataplane {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Sequence {
  size_t bytes = 1;
  bool good = false;
};

// The character at the front of `text`, which is no ASCII one, or as much of it as is in error. A
// first byte decides how many follow, and what the second one may be (Unicode 15, table 3-7).
Sequence FirstOf(std::string_view text) {
  const auto byte = [text](size_t at) { return static_cast<uint8_t>(text[at]); };
  const uint8_t first = byte(0);
  if (first < 0xc2 || first > 0xf4) return {};
  const size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  for (size_t at = 1; at < length; ++at) {
    if (at == text.size()) return {at, false};
    if (byte(at) < (at == 1 ? low : 0x80) || byte(at) > (at == 1 ? high : 0xbf)) return {at, false};
  }
  return {length, true};
}

bool IsPlain(char c) {
  return static_cast<uint8_t>(c) >= 0x20 && static_cast<uint8_t>(c) < 0x7f && c != '"' && c != '\\';
}

void AppendEscaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default: {
      // DEL needs no escape in JSON, but a terminal that shows the line had better not see it.
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<uint8_t>(c);
      out.append("\\u00").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
}

}  // namespace

void AppendJsonText(std::string_view text, std::string& out) {
  out.push_back('"');
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (static_cast<uint8_t>(text.front()) < 0x80) {
      AppendEscaped(text.front(), out);
      text.remove_prefix(1);
      continue;
    }
    const Sequence next = FirstOf(text);
    out.append(next.good ? text.substr(0, next.bytes) : kReplacement);
    text.remove_prefix(next.bytes);
  }
  out.push_back('"');
}

}  // namespace gocomet::dataplane
