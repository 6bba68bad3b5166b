#pragma once

#include <cstddef>
#include <string>

#include <absl/strings/escaping.h>

namespace gocomet {

// Lower case, two digits per byte.
inline std::string ToHex(const void* bytes, size_t count) {
  return absl::BytesToHexString({static_cast<const char*>(bytes), count});
}

}  // namespace gocomet
