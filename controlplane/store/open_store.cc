#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"
#include "controlplane/store/ancestor.h"
#include "controlplane/store/file_names.h"
#include "controlplane/store/identify.h"
#include "controlplane/store/rows.h"
#include "controlplane/store/schema.h"
#include "controlplane/store/sqlite.h"
#include "controlplane/store/sqlite_store.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {
namespace {

// Opening never waits longer than this for a check of the whole file; a larger one is checked in
// part.
constexpr std::chrono::milliseconds kCheckTime{2000};
// How long another program may hold SQLite's lock, at the start and while traffic flows.
constexpr std::chrono::milliseconds kOpenPatience{2000};
constexpr std::chrono::milliseconds kWritePatience{250};
constexpr int64_t kLogBytesKept = 4 << 20;

constexpr std::string_view kElsewhere = "point `stats-dir` at another file";

absl::Status CheckPlace(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path directory = path.parent_path();
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::NotFoundError(Cat("cannot keep the database at ", path.string(),
                                   ": there is no directory ", directory.string(), "; make it, or ",
                                   kElsewhere));
  }
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return absl::FailedPreconditionError(Cat(path.string(), " is not a file; ", kElsewhere));
  }
  return absl::OkStatus();
}

// A lock of our own on the file, beside SQLite's, which would let two control planes take turns.
absl::StatusOr<UniqueFd> LockFile(const std::string& path) {
  // Configs hold values that may be secrets. SQLite gives its other files the mode of this one; one
  // that is there keeps its own.
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    const int error = errno == EROFS ? EACCES : errno;
    return absl::ErrnoToStatus(error, Cat("it cannot be opened for writing; change its "
                                          "permissions, or ",
                                          kElsewhere));
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        Cat("another control plane uses it; stop that one, or ", kElsewhere));
  }
  return fd;
}

absl::Status Refuse(std::string_view why) {
  return absl::FailedPreconditionError(Cat(why, "; it was left as it is: ", kElsewhere));
}

absl::Status Configure(Database& database) {
  // FULL: a commit is on the disk before anybody is told, because whoever is told forgets the
  // report. With grouped commits that is a handful of syncs a second.
  return database.Execute(
      Cat("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
          "PRAGMA journal_size_limit = ",
          kLogBytesKept));
}

// Brings whatever the file holds to our newest format.
absl::Status BringUpToDate(Database& database, const std::string& path,
                           const FileIdentity& identity, std::vector<std::string>& notices) {
  switch (identity.holds) {
    case FileIdentity::Holds::kAncestor:
      return TakeOverAncestor(database, path, notices);
    case FileIdentity::Holds::kNothing:
      return MigrateFile(database, path, 0, Migrations(), notices);
    case FileIdentity::Holds::kGoComet:
      if (identity.version == NewestVersion(Migrations())) return absl::OkStatus();
      return MigrateFile(database, path, identity.version, Migrations(), notices);
    case FileIdentity::Holds::kSomethingElse:
      break;
  }
  return absl::InternalError("a database of something else is never brought up to date");
}

absl::Status CheckIdentity(const absl::StatusOr<FileIdentity>& identity) {
  if (identity.status().code() == absl::StatusCode::kFailedPrecondition) {
    return Refuse("it is not an SQLite database");
  }
  if (!identity.ok()) return identity.status();
  if (identity->holds == FileIdentity::Holds::kSomethingElse) {
    return Refuse(Cat("it is ", identity->description, ", not GoComet's"));
  }
  const int64_t newest = NewestVersion(Migrations());
  if (identity->holds == FileIdentity::Holds::kGoComet && identity->version > newest) {
    return Refuse(Cat("it was written by a newer GoComet (format ", identity->version,
                      ", this one knows up to ", newest, ")"));
  }
  return absl::OkStatus();
}

// DATA_LOSS: the file is damaged, and closed.
absl::StatusOr<OpenedStore> TryOpen(const std::string& path) {
  GOCOMET_ASSIGN_OR_RETURN(UniqueFd lock, LockFile(path));
  const auto identity = IdentifyFile(path, lock.get());
  GOCOMET_RETURN_IF_ERROR(CheckIdentity(identity));

  OpenedStore opened;
  GOCOMET_ASSIGN_OR_RETURN(Database database, Database::Open(path, Database::Access::kReadWrite));
  database.SetBusyTimeout(kOpenPatience);
  if (identity->holds != FileIdentity::Holds::kNothing) {
    GOCOMET_RETURN_IF_ERROR(database.QuickCheck(kCheckTime));
  }
  GOCOMET_RETURN_IF_ERROR(BringUpToDate(database, path, *identity, opened.notices));
  GOCOMET_RETURN_IF_ERROR(Configure(database));
  GOCOMET_ASSIGN_OR_RETURN(opened.state, ReadState(database));
  GOCOMET_ASSIGN_OR_RETURN(RowWriter writer, RowWriter::Create(database));
  database.SetBusyTimeout(kWritePatience);
  opened.store =
      std::make_unique<SqliteStore>(path, std::move(lock), std::move(database), std::move(writer));
  return opened;
}

}  // namespace

absl::StatusOr<OpenedStore> OpenStore(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("the database's path is empty");
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return absl::UnavailableError(Cat("cannot find ", path, ": ", error.message()));
  GOCOMET_RETURN_IF_ERROR(CheckPlace(absolute));

  auto opened = TryOpen(absolute.string());
  if (opened.status().code() == absl::StatusCode::kDataLoss) {
    const std::string damage(MessageOf(opened.status()));
    GOCOMET_ASSIGN_OR_RETURN(const std::string aside, SetAsideDamaged(absolute.string()));
    opened = TryOpen(absolute.string());
    if (opened.ok()) {
      opened->notices.insert(opened->notices.begin(),
                             Cat("the database ", absolute.string(), " is damaged (", damage,
                                 "); it was kept as ", aside, " and a new one begun"));
    }
  }
  if (!opened.ok()) {
    return WithContext(opened.status(), Cat("cannot open the database ", absolute.string()));
  }
  return opened;
}

}  // namespace gocomet::controlplane
