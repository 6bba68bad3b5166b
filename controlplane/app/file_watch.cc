#include "controlplane/app/file_watch.h"

#include <sys/stat.h>

namespace gocomet::controlplane {

std::optional<FileStamp> StampOf(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return FileStamp{status.st_dev, status.st_ino, status.st_size,
                   status.st_ctim.tv_sec * int64_t{1'000'000'000} + status.st_ctim.tv_nsec};
}

}  // namespace gocomet::controlplane
