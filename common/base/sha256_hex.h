#pragma once

#include <string>
#include <string_view>

namespace gocomet {

// SHA-256 of the content as 64 lower-case hex digits.
std::string Sha256Hex(std::string_view content);

}  // namespace gocomet
