#pragma once

#include <string>
#include <string_view>

#include <absl/status/status.h>

namespace gocomet::controlplane {

// Writes a POSIX tar archive (ustar) in memory. The same files give the same bytes: owner 0 and
// time 0 throughout.
class TarWriter {
 public:
  static constexpr size_t kNameBytesMax = 100;

  // INVALID_ARGUMENT where the name is empty or too long.
  absl::Status Add(std::string_view name, std::string_view content, unsigned mode);

  // The whole archive; nothing can be added afterwards.
  std::string Finish() &&;

 private:
  std::string archive_;
};

}  // namespace gocomet::controlplane
