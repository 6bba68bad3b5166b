#pragma once

#include <array>
#include <string_view>

// The character classes of RFC 9110, 5.5 and 5.6. Pure.
namespace gocomet::http {

namespace characters_internal {

enum : unsigned char { kToken = 1, kValue = 2, kTarget = 4, kName = 8 };

constexpr std::array<unsigned char, 256> MakeClasses() {
  std::array<unsigned char, 256> classes{};
  for (int c = 0x21; c <= 0x7e; ++c) classes[static_cast<size_t>(c)] = kValue | kTarget;
  for (int c = 0x80; c <= 0xff; ++c) classes[static_cast<size_t>(c)] = kValue;  // obs-text
  classes[' '] = kValue;
  classes['\t'] = kValue;
  classes['#'] = kValue;  // A fragment is never sent (RFC 9112, 3.2).
  for (char c = '0'; c <= '9'; ++c) classes[static_cast<unsigned char>(c)] |= kToken | kName;
  for (char c = 'a'; c <= 'z'; ++c) classes[static_cast<unsigned char>(c)] |= kToken | kName;
  for (char c = 'A'; c <= 'Z'; ++c) classes[static_cast<unsigned char>(c)] |= kToken | kName;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    classes[static_cast<unsigned char>(c)] |= kToken;
  }
  // Of a host's name, without percent-encoded bytes (RFC 3986, 3.2.2); and without the comma, which
  // would read as a list.
  for (const char c : std::string_view("-._~!$&'()*+;=")) {
    classes[static_cast<unsigned char>(c)] |= kName;
  }
  return classes;
}

inline constexpr std::array<unsigned char, 256> kClasses = MakeClasses();

constexpr bool AllAre(std::string_view text, unsigned char wanted) {
  for (const char c : text) {
    if ((kClasses[static_cast<unsigned char>(c)] & wanted) == 0) return false;
  }
  return true;
}

}  // namespace characters_internal

constexpr bool IsToken(std::string_view text) {
  return !text.empty() && characters_internal::AllAre(text, characters_internal::kToken);
}
// Visible characters, spaces, tabs and obs-text: no control characters.
constexpr bool IsFieldValue(std::string_view text) {
  return characters_internal::AllAre(text, characters_internal::kValue);
}
constexpr bool IsTarget(std::string_view text) {
  return !text.empty() && characters_internal::AllAre(text, characters_internal::kTarget);
}
// Of a host's name, other than percent-encoded.
constexpr bool IsNameByte(char c) {
  return characters_internal::AllAre(std::string_view(&c, 1), characters_internal::kName);
}
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr std::string_view TrimWhiteSpace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace gocomet::http
