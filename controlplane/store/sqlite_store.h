#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/unique_fd.h"
#include "controlplane/store/batch.h"
#include "controlplane/store/rows.h"
#include "controlplane/store/sqlite.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// One thread that owns the connection and commits batches. Destroying it tries once more to write
// what is queued, and tells those whose rows it could not write.
class SqliteStore : public Store {
 public:
  // `lock` keeps other control planes from the file; it is closed after the database. `path` is for
  // messages.
  SqliteStore(std::string path, UniqueFd lock, Database database, RowWriter writer);
  ~SqliteStore() override;

  void Write(StoreWrite write) override;
  void Flush() override;
  size_t queued() const override;
  absl::Status problem() const override;

 private:
  void Run();
  // Waits until there is something to do; false once nothing will come any more.
  bool AwaitWork(std::unique_lock<std::mutex>& hold);
  absl::Status Commit(const Batch& batch);

  const std::string path_;  // Constant after construction.

  // Of the writer thread, in the order in which they depend on each other.
  UniqueFd lock_;
  Database database_;
  RowWriter writer_;

  mutable std::mutex mutex_;  // Guards everything below.
  std::condition_variable changed_;
  Batch pending_;
  size_t in_flight_ = 0;           // Writes in the transaction that runs.
  std::optional<SteadyTime> due_;  // When pending_ is to be written; unset while it is empty.
  bool stopping_ = false;
  absl::Status problem_;

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace gocomet::controlplane
