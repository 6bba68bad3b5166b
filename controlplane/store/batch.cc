#include "controlplane/store/batch.h"

#include "controlplane/store/rows.h"

namespace gocomet::controlplane {

void Batch::Add(StoreWrite write) {
  AddRows(write);
  if (write.done) done_.push_back(std::move(write.done));
  ++writes_;
}

void Batch::AddRows(StoreWrite& write) {
  for (Revision& revision : write.revisions) revisions_.push_back(std::move(revision));
  for (const WorkerTotals& totals : write.worker_totals) Put(totals);
  for (const BalancedTotals& totals : write.balanced_totals) Put(totals);
  for (Event& event : write.events) Put(std::move(event));
  for (const RolloutRecord& rollout : write.rollouts) rollouts_.Put(rollout.id, rollout);
  for (AccessTokenChange& change : write.access_tokens) {
    access_tokens_.push_back(std::move(change));
  }
}

void Batch::Append(Batch later) {
  if (empty()) {
    *this = std::move(later);
    return;
  }
  for (Revision& revision : later.revisions_) revisions_.push_back(std::move(revision));
  for (const WorkerTotals& totals : later.worker_totals()) Put(totals);
  for (const BalancedTotals& totals : later.balanced_totals()) Put(totals);
  for (Event& event : later.events_) Put(std::move(event));
  for (const RolloutRecord& rollout : later.rollouts()) rollouts_.Put(rollout.id, rollout);
  for (AccessTokenChange& change : later.access_tokens_) {
    access_tokens_.push_back(std::move(change));
  }
  for (Done& done : later.done_) done_.push_back(std::move(done));
  writes_ += later.writes_;
}

void Batch::Put(const WorkerTotals& totals) {
  workers_.Put({totals.worker_id, totals.incarnation}, totals);
}

void Batch::Put(const BalancedTotals& totals) {
  balanced_.Put(
      {totals.balancer, totals.balancer_incarnation, totals.worker_id, totals.worker_incarnation},
      totals);
}

void Batch::Put(Event event) {
  events_.push_back(std::move(event));
  if (events_.size() > kEventsKept) events_.pop_front();
}

void Batch::Finish(const absl::Status& status) {
  for (Done& done : done_) {
    done(status);
    done = nullptr;
  }
  done_.clear();
}

}  // namespace gocomet::controlplane
