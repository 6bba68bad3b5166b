#pragma once

#include <compare>
#include <cstdint>

namespace gocomet::controlplane {

// A place in a text: 1-based, in bytes; line 0 means no place.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
  auto operator<=>(const Place&) const = default;
};

}  // namespace gocomet::controlplane
