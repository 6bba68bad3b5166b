#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace gocomet::controlplane {

// Single-character insertions, deletions, replacements and swaps of neighbours that turn one text
// into the other; upper and lower case are the same.
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate that `text` was most likely meant to be: at most a third of it is different. Of
// equally near ones the first.
std::optional<std::string_view> NearestOf(std::string_view text,
                                          std::span<const std::string_view> candidates);

}  // namespace gocomet::controlplane
