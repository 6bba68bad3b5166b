#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gocomet::ctl {

// Well-formed UTF-8 (Unicode Standard, table 3-7), as Protobuf demands of its strings.
bool IsUtf8(std::string_view text);

// Columns that a UTF-8 text takes on a terminal: 2 for East Asian wide characters and emoji, 0 for
// combining marks, 1 for all others and for each byte that is not UTF-8.
size_t DisplayWidth(std::string_view text);

// The text on one line and without power over the terminal: each character that controls it, breaks
// a line or reorders one becomes a space, each byte that is not UTF-8 U+FFFD.
std::string OneLine(std::string_view text);

// The same for a text of several lines: line ends and tabs stay.
std::string CleanLines(std::string_view text);

}  // namespace gocomet::ctl
