#include "ctl/output/display_width.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace gocomet::ctl {
namespace {

struct Character {
  char32_t code = 0;
  size_t bytes = 1;
};

// The character that a non-empty text begins with; a byte that is not UTF-8 counts as U+FFFD.
Character First(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead >= 0xF0 && lead < 0xF8   ? 4
                        : lead >= 0xE0 && lead < 0xF0 ? 3
                        : lead >= 0xC2 && lead < 0xE0 ? 2
                                                      : 0;
  if (length == 0 || text.size() < length) return {0xFFFD, 1};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0xFFFD, 1};
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {0xFFFD, 1};
  return {code, length};
}

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode's combining marks and zero-width characters, the blocks that occur in practice.
constexpr Range kZeroWidth[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},
                                {0x0610, 0x061A}, {0x064B, 0x065F}, {0x0900, 0x0902},
                                {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
                                {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};
// East Asian Width W and F (Unicode Standard Annex 11), in whole blocks.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},  {0xA960, 0xA97C}, {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <size_t N>
bool IsIn(const Range (&ranges)[N], char32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [code](const Range& r) { return code >= r.first && code <= r.last; });
}

// C0, DEL and C1, and what breaks or reorders lines: U+2028 and U+2029, and the directional marks,
// embeddings, overrides and isolates (Unicode Standard Annex 9).
constexpr Range kPowerful[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C},
                               {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}};

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string Clean(std::string_view text, std::string_view kept) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const Character character = First(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    if (IsIn(kPowerful, character.code) && kept.find(bytes) == std::string_view::npos) {
      clean += ' ';
    } else if (character.code == 0xFFFD) {
      clean += kReplacement;
    } else {
      clean += bytes;
    }
    text.remove_prefix(character.bytes);
  }
  return clean;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const Character character = First(text);
    // U+FFFD itself takes 3 bytes.
    if (character.code == 0xFFFD && character.bytes == 1) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character character = First(text);
    if (!IsIn(kZeroWidth, character.code)) width += IsIn(kWide, character.code) ? 2 : 1;
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string OneLine(std::string_view text) { return Clean(text, ""); }

std::string CleanLines(std::string_view text) { return Clean(text, "\n\t"); }

}  // namespace gocomet::ctl
