#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "controlplane/config/place.h"

namespace gocomet::controlplane {

struct UnreadableByte {
  Place place;
  std::string message;
};

// The first byte that is no part of well-formed UTF-8 (RFC 3629), or is a control character that
// no text needs. A byte order mark at the very beginning is fine.
std::optional<UnreadableByte> FindUnreadableByte(std::string_view text);

// The bytes of the well-formed character that `text` begins with; 0 where there is none.
size_t Utf8CharacterLength(std::string_view text);

}  // namespace gocomet::controlplane
