#include "controlplane/app/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// FNV-1a: stable for ever, and no secret.
uint64_t StableHash(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

absl::StatusOr<UniqueFd> TakeLock(const std::string& path) {
  const std::string file = path + "/lock";
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open ", file));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = "";
    [[maybe_unused]] const ssize_t got = ::pread(fd.get(), holder, sizeof(holder) - 1, 0);
    return absl::FailedPreconditionError(
        Cat("another control plane (process ", std::string(holder), ") uses the state directory ",
            path, "; stop it first, or give this one a `state-dir` of its own"));
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return absl::ErrnoToStatus(errno, Cat("cannot write ", file));
  }
  return fd;
}

}  // namespace

absl::StatusOr<StateDirectory> StateDirectory::Open(const std::string& path) {
  GOCOMET_RETURN_IF_ERROR(MakeDirectories(path, 0700));
  GOCOMET_ASSIGN_OR_RETURN(UniqueFd lock, TakeLock(path));
  StateDirectory directory(path, std::move(lock));
  const std::string longest = directory.report_socket();
  if (longest.size() > kUnixPathBytesMax) {
    return absl::InvalidArgumentError(Cat("state-dir: the path ", path, " is too long: the socket ",
                                          longest, " would have ", longest.size(),
                                          " bytes, and at most ", kUnixPathBytesMax, " fit"));
  }
  for (const std::string& part : {directory.workers_directory(), directory.balancers_directory()}) {
    GOCOMET_RETURN_IF_ERROR(MakeDirectories(part, 0700));
  }
  // Mounted into containers, whose processes are another user.
  GOCOMET_RETURN_IF_ERROR(MakeDirectories(directory.report_directory(), 0755));
  if (::chmod(path.c_str(), 0700) != 0)
    return absl::ErrnoToStatus(errno, Cat("cannot chmod ", path));
  return directory;
}

std::string StateDirectory::cluster_name() const {
  char text[8];
  std::snprintf(text, sizeof(text), "%06x", static_cast<unsigned>(StableHash(path_) & 0xffffff));
  return text;
}

}  // namespace gocomet::controlplane
