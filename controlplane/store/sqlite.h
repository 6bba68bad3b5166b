#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

struct sqlite3;
struct sqlite3_stmt;

// SQLite as owned values and statuses. The only user of its C interface.
//
// Codes: DATA_LOSS: the file is damaged. FAILED_PRECONDITION: it is no database.
// RESOURCE_EXHAUSTED: the disk is full. UNAVAILABLE: it is locked, or reading or writing failed.
// PERMISSION_DENIED.
namespace gocomet::controlplane {

// A prepared statement. Must not outlive its database.
class Statement {
 public:
  Statement() = default;

  // Parameters count from 1. An unsigned number keeps its bits: above 2^63 it is negative in the
  // file.
  void Bind(int parameter, int64_t value);
  void Bind(int parameter, uint64_t value) { Bind(parameter, static_cast<int64_t>(value)); }
  void Bind(int parameter, std::string_view value);

  // True where there is a row; the columns are valid until the next Step or Reset.
  absl::StatusOr<bool> Step();
  // Ready for the next use. Bound values stay.
  void Reset();
  // For a statement without rows: Step, then Reset.
  absl::Status Run();

  // Columns count from 0. NULL reads as 0 and as empty.
  int64_t Integer(int column) const;
  uint64_t Unsigned(int column) const { return static_cast<uint64_t>(Integer(column)); }
  double Real(int column) const;
  std::string Text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// A connection; for one thread at a time.
class Database {
 public:
  enum class Access : uint8_t {
    kReadOnly,
    kImmutable,  // Read only, and nothing beside the file is read or made: no other has it open.
    kReadWrite,  // Made where it is missing.
  };
  // `path` is absolute.
  static absl::StatusOr<Database> Open(const std::string& path, Access access);

  absl::Status Execute(const std::string& sql);
  absl::StatusOr<Statement> Prepare(std::string_view sql);
  // The first column of the first row; 0 where there is none.
  absl::StatusOr<int64_t> QueryInteger(std::string_view sql);

  // How long a call waits for another program's lock.
  void SetBusyTimeout(std::chrono::milliseconds timeout);

  // DATA_LOSS where the file is damaged; OK where `limit` passed before that was seen.
  absl::Status QuickCheck(std::chrono::milliseconds limit);

  // A consistent copy in a new file, with what is still in the write-ahead log.
  absl::Status CopyTo(const std::string& path);

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

// Rolls back unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // Takes the write lock at once.
  absl::Status Begin();
  absl::Status Commit();

 private:
  Database& database_;
};

}  // namespace gocomet::controlplane
