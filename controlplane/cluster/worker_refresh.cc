// The part of the fleet that compares its records with what the runtime says there is.
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/text.h"
#include "controlplane/cluster/worker_fleet.h"

namespace gocomet::controlplane {
namespace {

Failure ToFailure(const RuntimeWorker& seen, WallTime now) {
  Failure failure;
  failure.time = now;
  if (seen.exit) {
    failure.exit_code = seen.exit->code;
    failure.signal = seen.exit->signal;
    failure.out_of_memory = seen.exit->out_of_memory;
  }
  failure.cause = seen.exit && !seen.exit->error.empty() ? seen.exit->error : LikelyCause(failure);
  return failure;
}

}  // namespace

void WorkerFleet::Refresh() {
  if (listing_ != 0) {
    list_again_ = true;
    return;
  }
  listing_ = ++last_call_;
  const SteadyTime asked = clock_.Steady();
  driver_.List([this, call = listing_, asked](absl::StatusOr<std::vector<RuntimeWorker>> answer) {
    mailbox_.Post([this, call, asked, answer = std::move(answer)]() mutable {
      OnListed(call, asked, std::move(answer));
    });
  });
}

void WorkerFleet::OnListed(uint64_t call, SteadyTime asked,
                           absl::StatusOr<std::vector<RuntimeWorker>> answer) {
  if (call != listing_) return;  // It was answered before.
  listing_ = 0;
  if (!answer.ok()) {
    // A runtime that does not answer says nothing about its workers: none is thought dead for it.
    if (runtime_available()) {
      events_.Error("cluster", "RuntimeUnavailable", std::string(MessageOf(answer.status())));
    }
    runtime_problem_ = MessageOf(answer.status());
    hooks_.changed();
  } else {
    const bool was_available = runtime_available();
    if (!was_available) events_.Info("cluster", "RuntimeAvailable", "the runtime answers again");
    runtime_problem_.clear();
    std::unordered_map<std::string_view, const RuntimeWorker*> seen;
    for (const RuntimeWorker& worker : *answer) seen[worker.instance] = &worker;
    for (Worker& worker : workers_) {
      // One that has started, or changed otherwise, since the question was asked may have been
      // looked at before that.
      const bool stale = worker.state_since >= asked;
      const auto found = seen.find(worker.instance);
      const bool runs = found != seen.end() && found->second->running;
      if (!runs && stale) {
        if (worker.state_since < clock_.Steady()) list_again_ = true;
      } else if (found != seen.end()) {
        CompareWith(worker, *found->second);
      } else if (!worker.handle.empty() && worker.operation == Operation::kNone) {
        CompareWith(worker, RuntimeWorker{});
      }
      if (found != seen.end()) seen.erase(found);
    }
    std::erase_if(forgotten_, [&](const auto& each) { return each.second < asked; });
    for (const RuntimeWorker& worker : *answer) {
      const auto unknown = seen.find(worker.instance);
      if (unknown == seen.end() || unknown->second != &worker) continue;
      if (forgotten_.contains(worker.instance)) {
        list_again_ = true;
      } else if (!listed_ && worker.running) {
        Adopt(worker);
      } else {
        RemoveOrphan(worker);
      }
    }
    if (!std::exchange(listed_, true) || !was_available) hooks_.changed();
  }
  if (std::exchange(list_again_, false)) Refresh();
}

void WorkerFleet::CompareWith(Worker& worker, const RuntimeWorker& seen) {
  if (worker.operation != Operation::kNone) return;  // That call's answer tells.
  if (seen.running) {
    // In back-off without a handle, its start seemed to fail and had taken effect: it is removed.
    if (worker.handle.empty()) {
      worker.handle = seen.handle;
      Touch(worker);
    }
    if (seen.pid != 0) worker.pid = seen.pid;
    ObserveRun(worker, seen.incarnation);
    ObserveRemark(worker, seen.remark);
    return;
  }
  if (worker.state == WorkerState::kStopped || worker.state == WorkerState::kBackOff) return;
  const Failure failure = ToFailure(seen, clock_.Wall());
  if (!ObserveExit(worker, failure, now())) return;
  Touch(worker);
  if (worker.state == WorkerState::kBackOff) {
    const auto delay =
        std::chrono::duration_cast<std::chrono::seconds>(worker.next_start - clock_.Steady());
    events_.Error(Cat("worker/", worker.name()), "WorkerCrashed",
                  Cat(worker.id, " ended: ", failure.cause, "; its successor starts in about ",
                      delay.count() + 1, " s"));
    if (seen.handle.empty()) {
      worker.handle.clear();
    } else {
      Diagnose(worker);
    }
  }
}

// What keeps it from its work says more than the probes that fail for it.
void WorkerFleet::ObserveRemark(Worker& worker, const std::string& remark) {
  const auto known = remarks_.find(worker.instance);
  const bool was_there = known != remarks_.end();
  if (remark.empty() && !was_there) return;
  if (remark.empty()) {
    remarks_.erase(known);
    events_.Info(Cat("worker/", worker.name()), "WorkerUnpaused", Cat(worker.id, " goes on"));
  } else if (!was_there) {
    remarks_.emplace(worker.instance, remark);
    events_.Warning(Cat("worker/", worker.name()), "WorkerPaused", Cat(worker.id, " is ", remark));
  }
  if (worker.state == WorkerState::kDraining || worker.reason == remark) return;
  worker.reason = remark;
  Touch(worker);
}

void WorkerFleet::Adopt(const RuntimeWorker& seen) {
  Worker worker;
  worker.instance = seen.instance;
  worker.id = seen.id;
  worker.service = seen.service;
  worker.ordinal = seen.ordinal;
  worker.port = seen.port;
  worker.template_hash = seen.template_hash;
  worker.handle = seen.handle;
  worker.address = seen.address;
  worker.balancer_address = seen.balancer_address;
  worker.image = seen.image;
  worker.pid = seen.pid;
  worker.create_time = seen.created;
  worker.incarnation = seen.incarnation;
  EnterState(worker, WorkerState::kStarting, "adopted", now());
  worker.adopted = true;
  events_.Info(Cat("worker/", worker.name()), "WorkerAdopted",
               Cat(worker.id, " was running already and is taken over"));
  Touch(worker);
  Add(std::move(worker));
}

void WorkerFleet::RemoveOrphan(const RuntimeWorker& seen) {
  const uint64_t call = ++last_call_;
  if (!orphans_.try_emplace(seen.handle, call).second) return;
  events_.Warning(Cat("worker/", seen.service, "-", seen.ordinal), "OrphanRemoved",
                  Cat(seen.id, " belongs to this cluster and to no worker that is wanted"));
  driver_.Remove(seen.handle, [this, handle = seen.handle, call](const absl::Status&) {
    mailbox_.Post([this, handle, call] {
      const auto removed = orphans_.find(handle);
      if (removed != orphans_.end() && removed->second == call) orphans_.erase(removed);
    });
  });
}

}  // namespace gocomet::controlplane
