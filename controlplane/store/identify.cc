#include "controlplane/store/identify.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/store/ancestor.h"
#include "controlplane/store/schema.h"
#include "controlplane/store/sqlite.h"

namespace gocomet::controlplane {
namespace {

using Holds = FileIdentity::Holds;

bool IsEmptyFile(int fd) {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 && facts.st_size == 0;
}

// Byte 18 of the header, https://www.sqlite.org/fileformat.html section 1.3.3.
bool UsesWriteAheadLog(int fd) {
  constexpr off_t kFormatOffset = 18;
  unsigned char format = 0;
  return ::pread(fd, &format, 1, kFormatOffset) == 1 && format == 2;
}

// Whether the header names another program: the application id, big-endian at byte 68.
bool IsMarkedAsForeign(int fd) {
  constexpr off_t kApplicationOffset = 68;
  unsigned char id[4] = {};
  if (::pread(fd, id, sizeof(id), kApplicationOffset) != sizeof(id)) return false;
  const int64_t application = (int64_t{id[0]} << 24) | (id[1] << 16) | (id[2] << 8) | id[3];
  return application != 0 && application != kApplicationId;
}

// A reader of a file in WAL mode would make files beside it, unless it is told that nobody else has
// the file open; there being no log says so.
Database::Access AccessFor(const std::string& path, int fd) {
  std::error_code ignored;
  const bool no_log = !std::filesystem::exists(path + "-wal", ignored);
  return UsesWriteAheadLog(fd) && no_log ? Database::Access::kImmutable
                                         : Database::Access::kReadOnly;
}

absl::StatusOr<std::string> DescribeTables(Database& database) {
  GOCOMET_ASSIGN_OR_RETURN(
      Statement names,
      database.Prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
                       "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid LIMIT 4"));
  std::string description;
  for (int count = 0;; ++count) {
    GOCOMET_ASSIGN_OR_RETURN(const bool has_row, names.Step());
    if (!has_row) return description;
    if (count == 3) return description + " …";
    description += Cat(count == 0 ? "" : ", ", "`", names.Text(0), "`");
  }
}

absl::StatusOr<FileIdentity> Identify(const std::string& path, Database::Access access) {
  GOCOMET_ASSIGN_OR_RETURN(Database database, Database::Open(path, access));
  database.SetBusyTimeout(std::chrono::seconds(2));
  GOCOMET_ASSIGN_OR_RETURN(const int64_t application,
                           database.QueryInteger("PRAGMA application_id"));
  GOCOMET_ASSIGN_OR_RETURN(const int64_t version, database.QueryInteger("PRAGMA user_version"));
  GOCOMET_ASSIGN_OR_RETURN(const std::string tables, DescribeTables(database));
  if (application == kApplicationId) return FileIdentity{Holds::kGoComet, version, ""};
  if (application == 0) {
    if (tables.empty()) return FileIdentity{};
    GOCOMET_ASSIGN_OR_RETURN(const bool is_ancestor, HoldsAncestorTable(database));
    if (is_ancestor) return FileIdentity{Holds::kAncestor, 0, ""};
  }
  return FileIdentity{Holds::kSomethingElse, version,
                      tables.empty() ? "a database of another program"
                                     : Cat("a database with the tables ", tables)};
}

}  // namespace

absl::StatusOr<FileIdentity> IdentifyFile(const std::string& path, int fd) {
  if (IsEmptyFile(fd)) return FileIdentity{};
  auto identity = Identify(path, AccessFor(path, fd));
  // What a crashed writer left in its journal can be rolled back only by a writer.
  if (identity.status().code() == absl::StatusCode::kPermissionDenied) {
    identity = Identify(path, Database::Access::kReadWrite);
  }
  if (identity.status().code() == absl::StatusCode::kDataLoss && IsMarkedAsForeign(fd)) {
    return FileIdentity{Holds::kSomethingElse, 0, "a damaged database of another program"};
  }
  return identity;
}

}  // namespace gocomet::controlplane
