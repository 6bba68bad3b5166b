#include "controlplane/config/yaml_text.h"

#include <algorithm>
#include <string>

namespace gocomet::controlplane {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool LooksLikeNumber(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text.starts_with("0x") || text.starts_with("0o") || text.starts_with("0b")) return true;
  if (text.starts_with('.')) text.remove_prefix(1);
  // `1`, `1.5`, `1e3`, `1_000`; with two dots it is an IP address or a version.
  return !text.empty() && IsDigit(text[0]) && std::count(text.begin(), text.end(), '.') <= 1 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsDigit(c) || c == '.' || c == '_' || c == 'e' || c == 'E' || c == '+' ||
                  c == '-';
         });
}

bool IsSafeUnquoted(std::string_view text) {
  if (text.empty() || LooksLikeOtherType(text)) return false;
  // `1000:10` is a number to the base of 60 to old readers.
  if (text.find_first_not_of("0123456789:") == std::string_view::npos) return false;
  if (!IsLetter(text[0]) && !IsDigit(text[0]) && text[0] != '/' && text[0] != '.') return false;
  // `a:b` is a plain text, `a: b` and `a:` are not.
  return text.back() != ':' && std::all_of(text.begin(), text.end(), [](char c) {
           return IsLetter(c) || IsDigit(c) || c == '/' || c == '.' || c == '-' || c == '_' ||
                  c == ':';
         });
}

}  // namespace

bool LooksLikeOtherType(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::string_view kWords[] = {"~",  "null", "true", "false", "yes",
                                         "no", "on",   "off",  "y",     "n"};
  return text.empty() || LooksLikeNumber(text) ||
         std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
}

std::string YamlText(std::string_view text) {
  if (IsSafeUnquoted(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n' || c == '\t' || c == '\r') {
      quoted += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace gocomet::controlplane
