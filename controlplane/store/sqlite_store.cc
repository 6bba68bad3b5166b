#include "controlplane/store/sqlite_store.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// Between attempts to write to a file that cannot be written.
constexpr std::chrono::milliseconds kRetryDelay{500};

absl::Status QueueFull() {
  return absl::ResourceExhaustedError(
      Cat(kQueuedWritesMax,
          " writes wait for the database already; nobody is told when this one "
          "is durable"));
}

}  // namespace

SqliteStore::SqliteStore(std::string path, UniqueFd lock, Database database, RowWriter writer)
    : path_(std::move(path)),
      lock_(std::move(lock)),
      database_(std::move(database)),
      writer_(std::move(writer)),
      thread_([this] { Run(); }) {}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SqliteStore::Write(StoreWrite write) {
  const SteadyTime now = SystemClock().Steady();
  {
    const std::lock_guard hold(mutex_);
    if (pending_.writes() + in_flight_ < kQueuedWritesMax) {
      const bool at_once = write.at_once || !write.revisions.empty();
      const SteadyTime due = at_once && problem_.ok() ? now : now + kCommitDelay;
      const bool sooner = !due_ || due < *due_;
      if (sooner) due_ = due;
      pending_.Add(std::move(write));
      if (sooner) changed_.notify_one();
      return;
    }
    // Totals, events and rollouts cost no further memory: only the newest are kept. But what
    // somebody waits for has not happened.
    if (write.at_once) write.rollouts.clear();
    write.access_tokens.clear();
    if (write.revisions.empty()) pending_.AddRows(write);
  }
  if (write.done) write.done(QueueFull());
}

void SqliteStore::Flush() {
  {
    const std::lock_guard hold(mutex_);
    if (pending_.empty()) return;
    due_ = SteadyTime::min();
  }
  changed_.notify_one();
}

size_t SqliteStore::queued() const {
  const std::lock_guard hold(mutex_);
  return pending_.writes() + in_flight_;
}

absl::Status SqliteStore::problem() const {
  const std::lock_guard hold(mutex_);
  return problem_;
}

bool SqliteStore::AwaitWork(std::unique_lock<std::mutex>& hold) {
  while (!stopping_) {
    if (!due_) {
      changed_.wait(hold);
    } else if (SystemClock().Steady() >= *due_) {
      return true;
    } else {
      changed_.wait_until(hold, *due_);
    }
  }
  return !pending_.empty();
}

void SqliteStore::Run() {
  std::unique_lock hold(mutex_);
  while (AwaitWork(hold)) {
    Batch batch = std::exchange(pending_, Batch());
    in_flight_ = batch.writes();
    due_.reset();
    hold.unlock();
    const absl::Status committed = Commit(batch);
    hold.lock();
    problem_ = committed;
    in_flight_ = 0;
    if (!committed.ok() && !stopping_) {
      batch.Append(std::exchange(pending_, Batch()));
      pending_ = std::move(batch);
      due_ = SystemClock().Steady() + kRetryDelay;
      continue;
    }
    // Nobody is told while the lock is held: whoever hears of it may write again.
    hold.unlock();
    batch.Finish(committed);
    hold.lock();
  }
}

absl::Status SqliteStore::Commit(const Batch& batch) {
  const auto write = [&]() -> absl::Status {
    Transaction transaction(database_);
    GOCOMET_RETURN_IF_ERROR(transaction.Begin());
    for (const Revision& row : batch.revisions()) GOCOMET_RETURN_IF_ERROR(writer_.Write(row));
    for (const AccessTokenChange& row : batch.access_tokens()) {
      GOCOMET_RETURN_IF_ERROR(writer_.Write(row));
    }
    for (const WorkerTotals& row : batch.worker_totals()) {
      GOCOMET_RETURN_IF_ERROR(writer_.Write(row));
    }
    for (const BalancedTotals& row : batch.balanced_totals()) {
      GOCOMET_RETURN_IF_ERROR(writer_.Write(row));
    }
    for (const Event& row : batch.events()) GOCOMET_RETURN_IF_ERROR(writer_.Write(row));
    for (const RolloutRecord& row : batch.rollouts()) GOCOMET_RETURN_IF_ERROR(writer_.Write(row));
    if (!batch.rollouts().empty()) {
      GOCOMET_RETURN_IF_ERROR(writer_.PruneRollouts(batch.rollouts().back().id));
    }
    if (!batch.events().empty()) {
      GOCOMET_RETURN_IF_ERROR(writer_.PruneEvents(batch.events().back().sequence));
    }
    return transaction.Commit();
  };
  return WithContext(write(), Cat("cannot write to the database ", path_));
}

}  // namespace gocomet::controlplane
