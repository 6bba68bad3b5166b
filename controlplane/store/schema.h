#pragma once

#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "controlplane/store/sqlite.h"

namespace gocomet::controlplane {

// The file's application_id: "GoCm". Tells our databases from everybody else's.
inline constexpr int64_t kApplicationId = 0x476F436D;

// One step from the version before it.
struct Migration {
  int64_t version = 0;  // The file's user_version afterwards.
  const char* sql = nullptr;
};

// Ascending from version 1, without gaps. A released one never changes.
std::span<const Migration> Migrations();
inline int64_t NewestVersion(std::span<const Migration> migrations) {
  return migrations.back().version;
}

// Brings the schema from `from` to the newest version within the caller's transaction; 0 is an
// empty file.
absl::Status ApplyMigrations(Database& database, int64_t from,
                             std::span<const Migration> migrations);

// The same in one transaction of its own. A file that holds something is copied first, to a file
// beside `path` that is named in `notices`. After an error the file is as it was.
absl::Status MigrateFile(Database& database, const std::string& path, int64_t from,
                         std::span<const Migration> migrations, std::vector<std::string>& notices);

}  // namespace gocomet::controlplane
