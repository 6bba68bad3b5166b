#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How servers read a path. Pure.
namespace gocomet::http {

// Whether all servers read this path (of a request's target, without its query) alike: it begins
// with a slash, nothing in it is percent-encoded, and there is no empty segment but a last one, no
// `.` or `..`, no backslash and no semicolon.
bool IsPlainPath(std::string_view path);

// Everything that servers are known to make of a path, each different reading once; the first one
// is that of RFC 3986 (6.2.2) without 5.2.4: percent-encoded characters stand for themselves, `%2F`
// is no slash, and no segment is removed. The others follow from servers that
//  - take `%2F`, `\` and `%5C` for slashes,
//  - drop what follows `;` in a segment, before they decode it or after,
//  - merge slashes that follow one another,
//  - resolve `.` and `..`: those that are not percent-encoded, or all of them, at once or later,
// in any combination. Decoding twice is not among them: it is wrong by RFC 3986, 2.4.
//
// A reading is text for comparison with other readings: `%2F` and `%25` are left in it as they are,
// so that it is unambiguous, and all other encoded characters are decoded. At most 48 readings;
// none where there are several and the path is longer than `bytes_max`, since each costs its
// length.
std::vector<std::string> ReadingsOf(std::string_view path, size_t bytes_max = SIZE_MAX);

}  // namespace gocomet::http
