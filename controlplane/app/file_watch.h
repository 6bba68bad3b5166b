#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gocomet::controlplane {

// What tells one content of a file from another without reading it.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t change_nanoseconds = 0;  // Of content or name, since 1970.
  bool operator==(const FileStamp&) const = default;
};

// Of the file that `path` leads to; none where there is none.
std::optional<FileStamp> StampOf(const std::string& path);

// Decides when a file that people edit is worth reading again: once it has changed and stands still
// from one look to the next. A file that is missing may be about to be replaced. Pure.
class FileWatch {
 public:
  explicit FileWatch(std::optional<FileStamp> known) : acted_on_(known), seen_(known) {}

  // True where the file is to be read now.
  bool Look(const std::optional<FileStamp>& stamp) {
    const bool stands_still = stamp == seen_;
    seen_ = stamp;
    if (!stamp || !stands_still || stamp == acted_on_) return false;
    acted_on_ = stamp;
    return true;
  }

 private:
  std::optional<FileStamp> acted_on_;
  std::optional<FileStamp> seen_;
};

}  // namespace gocomet::controlplane
