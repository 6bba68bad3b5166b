#pragma once

#include <string>
#include <string_view>

namespace gocomet::controlplane {

// Whether YAML's readers take this text, unquoted, for a number, a boolean or nothing (YAML 1.1 and
// 1.2 together).
bool LooksLikeOtherType(std::string_view text);

// The text as a YAML scalar, with quotes where it needs them.
std::string YamlText(std::string_view text);

}  // namespace gocomet::controlplane
