#include "controlplane/store/sqlite.h"

#include <fcntl.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet::controlplane {
namespace {

absl::StatusCode CodeOf(int code) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
      return absl::StatusCode::kDataLoss;
    case SQLITE_NOTADB:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status ErrorOf(sqlite3* database, int code) {
  const char* message = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const bool is_locked = (code & 0xFF) == SQLITE_BUSY;
  return absl::Status(CodeOf(code), Cat("SQLite says: ", message,
                                        is_locked ? " (another program holds a lock on it)" : ""));
}

// The path as a file: URI, with everything escaped that has a meaning there.
std::string UriOf(const std::string& path) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%' || c == '?' || c == '#' || byte <= ' ' || byte >= 0x7F) {
      uri += '%';
      uri += kDigits[byte >> 4];
      uri += kDigits[byte & 15];
    } else {
      uri += c;
    }
  }
  return uri;
}

int InterruptAfter(void* deadline) {
  return SystemClock().Steady() >= *static_cast<const SteadyTime*>(deadline) ? 1 : 0;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::Bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
}

void Statement::Bind(int parameter, std::string_view value) {
  // A null pointer would bind NULL.
  sqlite3_bind_text64(statement_.get(), parameter, value.empty() ? "" : value.data(), value.size(),
                      SQLITE_TRANSIENT, SQLITE_UTF8);
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(sqlite3_db_handle(statement_.get()), code);
}

void Statement::Reset() { sqlite3_reset(statement_.get()); }

absl::Status Statement::Run() {
  const auto stepped = Step();
  Reset();
  return stepped.status();
}

int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return "";
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

absl::StatusOr<Database> Database::Open(const std::string& path, Access access) {
  const bool writes = access == Access::kReadWrite;
  // A copy is nobody else's business where the original is not. What is wrong with the path SQLite
  // says below.
  if (writes) UniqueFd(::open(path.c_str(), O_CREAT | O_EXCL | O_CLOEXEC | O_RDWR, 0600)).Reset();
  const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  const std::string uri = UriOf(path) + (access == Access::kImmutable ? "?immutable=1" : "");
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &opened, flags, nullptr);
  Database database;
  database.database_.reset(opened);
  if (code != SQLITE_OK) return ErrorOf(opened, code);
  // A file from elsewhere must not run functions that its schema names.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return database;
}

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(database_.get(), code);
}

absl::StatusOr<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &prepared, nullptr);
  if (code != SQLITE_OK) return ErrorOf(database_.get(), code);
  Statement statement;
  statement.statement_.reset(prepared);
  return statement;
}

absl::StatusOr<int64_t> Database::QueryInteger(std::string_view sql) {
  GOCOMET_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  GOCOMET_ASSIGN_OR_RETURN(const bool has_row, statement.Step());
  return has_row ? statement.Integer(0) : 0;
}

void Database::SetBusyTimeout(std::chrono::milliseconds timeout) {
  sqlite3_busy_timeout(database_.get(), static_cast<int>(timeout.count()));
}

absl::Status Database::QuickCheck(std::chrono::milliseconds limit) {
  constexpr int kInstructionsBetweenLooks = 10'000;
  SteadyTime deadline = SystemClock().Steady() + limit;
  sqlite3_progress_handler(database_.get(), kInstructionsBetweenLooks, InterruptAfter, &deadline);
  absl::Status result;
  {
    auto check = Prepare("PRAGMA quick_check(1)");
    absl::StatusOr<bool> has_row = check.ok() ? check->Step() : check.status();
    if (!has_row.ok()) {
      result = has_row.status();
    } else if (*has_row && check->Text(0) != "ok") {
      result = absl::DataLossError(Cat("SQLite's check says: ", check->Text(0)));
    }
    if (sqlite3_errcode(database_.get()) == SQLITE_INTERRUPT) result = absl::OkStatus();
  }
  sqlite3_progress_handler(database_.get(), 0, nullptr, nullptr);
  return result;
}

absl::Status Database::CopyTo(const std::string& path) {
  GOCOMET_ASSIGN_OR_RETURN(const Database copy, Open(path, Access::kReadWrite));
  sqlite3_backup* backup =
      sqlite3_backup_init(copy.database_.get(), "main", database_.get(), "main");
  if (backup == nullptr) return ErrorOf(copy.database_.get(), SQLITE_ERROR);
  const int stepped = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (stepped == SQLITE_DONE && finished == SQLITE_OK) return absl::OkStatus();
  absl::Status error = ErrorOf(copy.database_.get(), finished != SQLITE_OK ? finished : stepped);
  ::unlink(path.c_str());
  return error;
}

Transaction::~Transaction() {
  if (sqlite3_get_autocommit(database_.database_.get()) == 0) {
    // It fails only where SQLite has rolled back already.
    (void)database_.Execute("ROLLBACK");
  }
}

absl::Status Transaction::Begin() { return database_.Execute("BEGIN IMMEDIATE"); }

absl::Status Transaction::Commit() { return database_.Execute("COMMIT"); }

}  // namespace gocomet::controlplane
