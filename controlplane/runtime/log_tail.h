#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <absl/status/statusor.h>

#include "common/base/unique_fd.h"

namespace gocomet::controlplane {

// Cuts text that comes in pieces into lines. A line longer than kLineBytesMax comes in parts.
class LineSplitter {
 public:
  static constexpr size_t kLineBytesMax = 64 << 10;
  using OnLine = std::function<void(std::string)>;

  void Add(std::string_view piece, const OnLine& line);
  // What is left without a line end.
  void Flush(const OnLine& line);

 private:
  std::string rest_;
};

// Reads the end of a growing text file, line by line. One thread at a time.
class LogTail {
 public:
  // Starts where the last `lines` lines begin (-1: at the beginning); `lines_found` gets how many
  // there are. A line without an end counts. NOT_FOUND where there is no such file.
  static absl::StatusOr<LogTail> Open(const std::string& path, int lines, int* lines_found);

  // Reads at most kReadBytesMax of what is new. True where there may be more to read at once.
  bool Read(const LineSplitter::OnLine& line);
  void Flush(const LineSplitter::OnLine& line) { splitter_.Flush(line); }

  // The file's first bytes are gone, and what was at `cut` is at its beginning now.
  void OnCut(uint64_t cut) { offset_ = offset_ > cut ? offset_ - cut : 0; }

  static constexpr size_t kReadBytesMax = 256 << 10;

 private:
  LogTail(UniqueFd fd, uint64_t offset) : fd_(std::move(fd)), offset_(offset) {}

  UniqueFd fd_;
  uint64_t offset_ = 0;
  LineSplitter splitter_;
};

// Where a file that someone appends to is longer than `bytes_max`, keeps only its last whole lines
// of at most `bytes_kept`, and answers how many bytes went. What is appended meanwhile may be lost.
absl::StatusOr<uint64_t> CutLogFile(const std::string& path, uint64_t bytes_max,
                                    uint64_t bytes_kept);

}  // namespace gocomet::controlplane
