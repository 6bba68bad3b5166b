#pragma once

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "controlplane/store/store.h"
#include "tests/controlplane/simulation/simulated_time.h"

namespace gocomet::controlplane {

// The database as its rows. What is not committed when the control plane dies is lost; what waits
// longer than it should, and commits that fail, are part of the trouble.
class SimulatedStore final : public Store {
 public:
  // A store that `forgets_rollouts` says that they are durable and loses them at a crash.
  SimulatedStore(Setting& setting, bool forgets_rollouts)
      : setting_(setting), forgets_rollouts_(forgets_rollouts) {}

  void Write(StoreWrite write) override {
    const bool at_once = write.at_once || !write.revisions.empty();
    waiting_.push_back(std::move(write));
    setting_.time.In(setting_.dice.Delay(1, at_once ? 20 : 200), [this, life = life_] {
      if (life == life_) Commit();
    });
  }
  void Flush() override { Commit(); }
  size_t queued() const override { return waiting_.size(); }

  void LoseWhatWaits() {
    ++life_;
    waiting_.clear();
    if (forgets_rollouts_) rollouts_.clear();
  }

  StoredState Rows() const {
    StoredState state;
    state.revisions = revisions_;
    for (const auto& [id, rollout] : rollouts_) state.rollouts.push_back(rollout);
    state.last_event_sequence = last_event_;
    return state;
  }

  void AddFirst(const Revision& revision) { revisions_.push_back(revision); }

 private:
  void Commit() {
    std::deque<StoreWrite> writes;
    writes.swap(waiting_);
    for (StoreWrite& write : writes) {
      const bool may_fail = write.at_once || !write.revisions.empty();
      if (may_fail && setting_.trouble && setting_.dice.Chance(5)) {
        setting_.story.Tell([] { return std::string("the database refuses a write"); });
        if (write.done) write.done(absl::ResourceExhaustedError("the disk is full"));
        continue;
      }
      for (Revision& revision : write.revisions) revisions_.push_back(std::move(revision));
      for (RolloutRecord& rollout : write.rollouts) rollouts_[rollout.id] = std::move(rollout);
      for (const Event& event : write.events) last_event_ = event.sequence;
      if (write.done) write.done(absl::OkStatus());
    }
  }

  Setting& setting_;
  const bool forgets_rollouts_;
  int life_ = 0;  // Of the control plane.
  std::deque<StoreWrite> waiting_;
  std::vector<Revision> revisions_;
  std::map<uint64_t, RolloutRecord> rollouts_;
  uint64_t last_event_ = 0;
};

}  // namespace gocomet::controlplane
