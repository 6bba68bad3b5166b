#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace gocomet::controlplane {

// A place in a text: 1-based, in bytes; line 0 means no place.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
  auto operator<=>(const Place&) const = default;
};

// Of values, or of keys without one, by path.
using Places = std::map<std::string, Place, std::less<>>;

}  // namespace gocomet::controlplane
