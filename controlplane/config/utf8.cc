#include "controlplane/config/utf8.h"

#include <cstdio>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// The table of RFC 3629, section 4: lead bytes, and the range of the byte that follows them.
struct Lead {
  unsigned char first, last;
  size_t length;
  unsigned char second_first, second_last;
};
constexpr Lead kLeads[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F}};

unsigned char ByteAt(std::string_view text, size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool IsForbiddenControl(unsigned char byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
}

std::string Hex(unsigned char byte) {
  char text[5];
  std::snprintf(text, sizeof(text), "0x%02x", byte);
  return text;
}

}  // namespace

size_t Utf8CharacterLength(std::string_view text) {
  if (text.empty()) return 0;
  for (const Lead& lead : kLeads) {
    if (ByteAt(text, 0) < lead.first || ByteAt(text, 0) > lead.last) continue;
    if (text.size() < lead.length) return 0;
    for (size_t i = 1; i < lead.length; ++i) {
      const unsigned char low = i == 1 ? lead.second_first : 0x80;
      const unsigned char high = i == 1 ? lead.second_last : 0xBF;
      if (ByteAt(text, i) < low || ByteAt(text, i) > high) return 0;
    }
    return lead.length;
  }
  return 0;
}

std::optional<UnreadableByte> FindUnreadableByte(std::string_view text) {
  uint32_t line = 1;
  size_t line_start = 0;
  for (size_t at = 0; at < text.size();) {
    const unsigned char byte = ByteAt(text, at);
    const size_t length = Utf8CharacterLength(text.substr(at));
    const Place place{line, static_cast<uint32_t>(at - line_start + 1)};
    if (length == 0) {
      return UnreadableByte{place,
                            Cat("the byte ", Hex(byte), " is not UTF-8; save the file as UTF-8")};
    }
    if (IsForbiddenControl(byte)) {
      return UnreadableByte{place,
                            Cat("the control character ", Hex(byte), " is not allowed; remove it")};
    }
    if (byte == '\n') {
      ++line;
      line_start = at + 1;
    }
    at += length;
  }
  return std::nullopt;
}

}  // namespace gocomet::controlplane
