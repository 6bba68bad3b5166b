#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/store/sqlite.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// A directory of its own for each test, and what most tests say about a store in it.
class StoreFixture : public testing::Test {
 protected:
  StoreFixture() {
    char name[] = "/tmp/gocomet-store-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ + "/stats.db";
  }
  ~StoreFixture() override { std::filesystem::remove_all(directory_); }

  OpenedStore MustOpen() {
    auto opened = OpenStore(path_);
    if (!opened.ok()) {
      ADD_FAILURE() << opened.status();
      std::abort();
    }
    return *std::move(opened);
  }

  // Another program's view of the file.
  Database MustConnect(Database::Access access = Database::Access::kReadWrite) {
    auto database = Database::Open(path_, access);
    EXPECT_TRUE(database.ok()) << database.status();
    return *std::move(database);
  }

  // Rows as `a|b|c`.
  std::vector<std::string> Query(const std::string& sql, int columns) {
    Database database = MustConnect();
    std::vector<std::string> rows;
    auto statement = database.Prepare(sql);
    EXPECT_TRUE(statement.ok()) << statement.status();
    while (statement.ok()) {
      const auto has_row = statement->Step();
      EXPECT_TRUE(has_row.ok()) << has_row.status();
      if (!has_row.ok() || !*has_row) break;
      std::string& row = rows.emplace_back(statement->Text(0));
      for (int column = 1; column < columns; ++column) row += "|" + statement->Text(column);
    }
    return rows;
  }

  void Execute(const std::string& sql) {
    const absl::Status status = MustConnect().Execute(sql);
    EXPECT_TRUE(status.ok()) << status;
  }

  std::vector<std::string> FilesBeside(const std::string& part) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      const std::string name = entry.path().filename().string();
      if (name.find(part) != std::string::npos) names.push_back(name);
    }
    return names;
  }

  std::string directory_;
  std::string path_;
};

// What one write's `done` was told.
class Answer {
 public:
  std::function<void(absl::Status)> Callback() {
    return [state = state_](absl::Status status) {
      const std::lock_guard hold(state->mutex);
      state->status = std::move(status);
      ++state->calls;
      state->changed.notify_all();
    };
  }
  // DEADLINE_EXCEEDED where nothing came in time.
  absl::Status Await(std::chrono::milliseconds limit = std::chrono::seconds(20)) const {
    std::unique_lock hold(state_->mutex);
    if (state_->changed.wait_for(hold, limit, [this] { return state_->calls > 0; })) {
      return state_->status;
    }
    return absl::DeadlineExceededError("nobody was told in time");
  }
  int calls() const {
    const std::lock_guard hold(state_->mutex);
    return state_->calls;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    absl::Status status;
    int calls = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline WorkerTotals TotalsOf(const std::string& worker, uint64_t incarnation, uint64_t sequence,
                             uint64_t successful, uint64_t failed, uint64_t microseconds) {
  return {worker,
          incarnation,
          "worker-0",
          "worker",
          sequence,
          {successful, failed, microseconds},
          WallTime(std::chrono::seconds(1'700'000'000 + sequence))};
}

inline Event EventOf(uint64_t sequence) {
  return {sequence,           WallTime(std::chrono::seconds(sequence)),
          Severity::kWarning, "worker/worker-0",
          "WorkerReady",      "message " + std::to_string(sequence)};
}

inline Revision RevisionOf(uint64_t number) {
  return {number,
          WallTime(std::chrono::microseconds(1'700'000'000'123'456)),
          "ada",
          "because",
          "apply",
          "hash" + std::to_string(number),
          "worker: " + std::to_string(number) + "\n"};
}

}  // namespace gocomet::controlplane
