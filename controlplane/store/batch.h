#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include "controlplane/model/records.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// Of rows that replace each other the newest, in the order in which their keys first came.
template <typename Key, typename Row>
class NewestRows {
 public:
  void Put(Key key, Row row) {
    const auto [found, is_new] = places_.try_emplace(std::move(key), rows_.size());
    if (is_new) {
      rows_.push_back(std::move(row));
    } else {
      rows_[found->second] = std::move(row);
    }
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  absl::flat_hash_map<Key, size_t> places_;
  std::vector<Row> rows_;
};

// Writes that wait for the next transaction, merged: it holds at most one row of totals per key and
// the newest kEventsKept events, however long the file cannot be written.
class Batch {
 public:
  using Done = std::function<void(absl::Status)>;

  // Takes the rows; `done` is kept beside them.
  void Add(StoreWrite write);
  // The rows without anybody waiting for them.
  void AddRows(StoreWrite& write);
  // Puts what came later after what is here.
  void Append(Batch later);

  size_t writes() const { return writes_; }
  bool empty() const { return writes_ == 0; }

  const std::vector<Revision>& revisions() const { return revisions_; }
  const std::vector<WorkerTotals>& worker_totals() const { return workers_.rows(); }
  const std::vector<BalancedTotals>& balanced_totals() const { return balanced_.rows(); }
  const std::deque<Event>& events() const { return events_; }
  const std::vector<RolloutRecord>& rollouts() const { return rollouts_.rows(); }
  const std::vector<AccessTokenChange>& access_tokens() const { return access_tokens_; }

  // Tells all who wait, in order.
  void Finish(const absl::Status& status);

 private:
  using WorkerKey = std::pair<std::string, uint64_t>;
  using BalancedKey = std::tuple<std::string, uint64_t, std::string, uint64_t>;

  void Put(const WorkerTotals& totals);
  void Put(const BalancedTotals& totals);
  void Put(Event event);

  std::vector<Revision> revisions_;
  NewestRows<WorkerKey, WorkerTotals> workers_;
  NewestRows<BalancedKey, BalancedTotals> balanced_;
  std::deque<Event> events_;
  NewestRows<uint64_t, RolloutRecord> rollouts_;
  std::vector<AccessTokenChange> access_tokens_;
  std::vector<Done> done_;
  size_t writes_ = 0;
};

}  // namespace gocomet::controlplane
