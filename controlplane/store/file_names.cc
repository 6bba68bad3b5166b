#include "controlplane/store/file_names.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "common/base/clock.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

std::string UtcNow() {
  const std::time_t now = std::chrono::system_clock::to_time_t(SystemClock().Wall());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  const size_t length = std::strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &parts);
  return {text, length};
}

}  // namespace

std::string FreeNameBeside(const std::string& path, std::string_view kind) {
  const std::string wanted = Cat(path, ".", kind, "-", UtcNow());
  std::string name = wanted;
  std::error_code ignored;
  for (int i = 2; std::filesystem::exists(name, ignored); ++i) name = Cat(wanted, "-", i);
  return name;
}

absl::StatusOr<std::string> SetAsideDamaged(const std::string& path) {
  const std::string name = FreeNameBeside(path, "damaged");
  // The log first: a crash between the steps must not leave it to the database that comes next.
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    if (std::rename((path + suffix).c_str(), (name + suffix).c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(
          errno, Cat("cannot rename the damaged database ", path, suffix, " to ", name, suffix));
    }
  }
  return name;
}

}  // namespace gocomet::controlplane
