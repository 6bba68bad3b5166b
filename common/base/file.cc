#include "common/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet {
namespace {

absl::Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, Cat("cannot write ", path));
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open ", path));
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof(buffer));
    if (got == 0) return content;
    if (got < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, Cat("cannot read ", path));
    }
    content.append(buffer, static_cast<size_t>(got));
  }
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode) {
  const std::string temporary = Cat(path, ".new.", ::getpid());
  {
    const UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot create ", temporary));
    absl::Status written = ::fchmod(fd.get(), mode) == 0
                               ? WriteAll(fd.get(), content, temporary)
                               : absl::ErrnoToStatus(errno, Cat("cannot chmod ", temporary));
    if (written.ok() && ::fsync(fd.get()) != 0) {
      written = absl::ErrnoToStatus(errno, Cat("cannot sync ", temporary));
    }
    if (!written.ok()) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return absl::ErrnoToStatus(error, Cat("cannot replace ", path));
  }
  return absl::OkStatus();
}

absl::Status MakeDirectories(const std::string& path, mode_t mode) {
  const std::filesystem::path wanted(path);
  std::filesystem::path walked;
  for (const auto& part : wanted) {
    walked /= part;
    if (walked.empty() || ::mkdir(walked.c_str(), mode) == 0 || errno == EEXIST) continue;
    return absl::ErrnoToStatus(errno, Cat("cannot make the directory ", walked.string()));
  }
  std::error_code error;
  if (!std::filesystem::is_directory(wanted, error)) {
    return absl::FailedPreconditionError(Cat(path, " exists and is not a directory"));
  }
  return absl::OkStatus();
}

}  // namespace gocomet
