#include "controlplane/runtime/log_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

absl::StatusOr<UniqueFd> OpenLog(const std::string& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open the log ", path));
  return fd;
}

uint64_t SizeOf(const UniqueFd& fd) {
  struct stat status {};
  return ::fstat(fd.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

// "" at the end and on errors.
std::string_view ReadAt(const UniqueFd& fd, uint64_t offset, std::vector<char>& buffer) {
  ssize_t got = 0;
  do {
    got = ::pread(fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return {buffer.data(), got > 0 ? static_cast<size_t>(got) : 0};
}

// Walks back from the end until `wanted` lines are behind it.
uint64_t FindLastLines(const UniqueFd& fd, int wanted, int& found) {
  found = 0;
  const uint64_t size = SizeOf(fd);
  std::vector<char> buffer(64 << 10);
  for (uint64_t end = size; end > 0;) {
    const uint64_t begin = end > buffer.size() ? end - buffer.size() : 0;
    const std::string_view piece = ReadAt(fd, begin, buffer).substr(0, end - begin);
    for (size_t i = piece.size(); i > 0; --i) {
      const uint64_t line_begin = begin + i;
      if (piece[i - 1] != '\n' || line_begin == size) continue;
      if (++found == wanted) return line_begin;
    }
    end = begin;
  }
  if (size > 0) ++found;
  return 0;
}

}  // namespace

void LineSplitter::Add(std::string_view piece, const OnLine& line) {
  while (!piece.empty()) {
    const size_t end = piece.find('\n');
    const size_t room = kLineBytesMax - rest_.size();
    if (end == std::string_view::npos && piece.size() < room) {
      rest_.append(piece);
      return;
    }
    const size_t taken = std::min(end, room);
    rest_.append(piece.substr(0, taken));
    piece.remove_prefix(taken == end ? taken + 1 : taken);
    line(std::exchange(rest_, {}));
  }
}

void LineSplitter::Flush(const OnLine& line) {
  if (!rest_.empty()) line(std::exchange(rest_, {}));
}

absl::StatusOr<LogTail> LogTail::Open(const std::string& path, int lines, int* lines_found) {
  auto fd = OpenLog(path, O_RDONLY);
  if (!fd.ok()) return fd.status();
  *lines_found = 0;
  uint64_t offset = 0;
  if (lines == 0) {
    offset = SizeOf(*fd);
  } else if (lines > 0) {
    offset = FindLastLines(*fd, lines, *lines_found);
  }
  return LogTail(*std::move(fd), offset);
}

bool LogTail::Read(const LineSplitter::OnLine& line) {
  std::vector<char> buffer(64 << 10);
  for (size_t read = 0; read < kReadBytesMax;) {
    const std::string_view piece = ReadAt(fd_, offset_, buffer);
    if (piece.empty()) return false;
    offset_ += piece.size();
    read += piece.size();
    splitter_.Add(piece, line);
  }
  return true;
}

absl::StatusOr<uint64_t> CutLogFile(const std::string& path, uint64_t bytes_max,
                                    uint64_t bytes_kept) {
  auto fd = OpenLog(path, O_RDWR | O_APPEND);
  if (!fd.ok()) return fd.status();
  const uint64_t size = SizeOf(*fd);
  if (size <= bytes_max) return uint64_t{0};
  std::vector<char> buffer(bytes_kept);
  std::string_view kept = ReadAt(*fd, size - std::min(size, bytes_kept), buffer);
  kept.remove_prefix(std::min(kept.find('\n'), kept.size() - 1) + 1);
  const uint64_t cut = size - kept.size();
  if (::ftruncate(fd->get(), 0) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot cut the log ", path));
  }
  while (!kept.empty()) {
    const ssize_t written = ::write(fd->get(), kept.data(), kept.size());
    if (written <= 0) return absl::ErrnoToStatus(errno, Cat("cannot write the log ", path));
    kept.remove_prefix(static_cast<size_t>(written));
  }
  return cut;
}

}  // namespace gocomet::controlplane
