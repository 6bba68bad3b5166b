#include "tests/controlplane/simulation/laws.h"

#include <algorithm>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

bool IsEnd(RolloutState state) {
  return state != RolloutState::kProgressing && state != RolloutState::kPaused;
}

// Something of it may run.
bool MayLive(const Worker& w) {
  return w.state != WorkerState::kBackOff || !w.handle.empty() || w.operation != Operation::kNone;
}

bool Serves(const Worker& w) { return w.state == WorkerState::kReady && !w.stop_wanted; }

const Worker* FindIn(std::span<const Worker> workers, const std::string& instance) {
  for (const Worker& w : workers) {
    if (w.instance == instance) return &w;
  }
  return nullptr;
}

}  // namespace

void Laws::Break(const std::string& what) {
  if (broken()) return;
  breach_ = what;
  setting_.story.Tell([&] { return Cat("BROKEN: ", what); });
}

void Laws::CheckPlan(const Desired& desired, std::span<const Worker> workers, const Plan& plan) {
  for (const Action& action : plan.actions) {
    setting_.story.Tell([&] { return Cat("plan: ", ToString(action)); });
    if (const auto* stop = std::get_if<StopWorker>(&action); stop != nullptr && stop->overdue) {
      const Worker* worker = FindIn(workers, stop->instance);
      if (worker != nullptr) may_be_stopped_.insert(worker->handle);
    } else if (const auto* fail = std::get_if<FailWorker>(&action)) {
      const Worker* worker = FindIn(workers, fail->instance);
      if (worker != nullptr) may_be_stopped_.insert(worker->handle);
    }
  }
  CheckNothingTwice(workers, plan);
  CheckPorts(workers, plan);
  if (desired.stopping) return;
  for (const ServiceDesire& desire : desired.services) CheckService(desire, workers, plan);
}

void Laws::CheckNothingTwice(std::span<const Worker> workers, const Plan& plan) {
  const auto check = [&](const std::string& instance, const Action& action) {
    const Worker* worker = FindIn(workers, instance);
    if (worker == nullptr) return Break(Cat("planned for nobody: ", ToString(action)));
    if (worker->operation != Operation::kNone) {
      Break(Cat("planned while a call is under way: ", ToString(action)));
    }
  };
  for (const Action& action : plan.actions) {
    if (const auto* stop = std::get_if<StopWorker>(&action)) {
      check(stop->instance, action);
    } else if (const auto* remove = std::get_if<RemoveWorker>(&action)) {
      check(remove->instance, action);
    } else if (const auto* forget = std::get_if<ForgetWorker>(&action)) {
      check(forget->instance, action);
      const Worker* worker = FindIn(workers, forget->instance);
      if (worker != nullptr && MayLive(*worker)) Break("forgot a worker that may live");
    } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
      const Worker* worker = FindIn(workers, drain->instance);
      if (worker != nullptr && worker->stop_wanted) Break("drained twice: " + ToString(action));
    }
  }
}

void Laws::CheckPorts(std::span<const Worker> workers, const Plan& plan) {
  std::set<std::string> drained;
  for (const Action& action : plan.actions) {
    if (const auto* drain = std::get_if<DrainWorker>(&action)) drained.insert(drain->instance);
  }
  // Two of one name may be adopted, and one of them goes at once.
  std::set<std::pair<std::string, uint32_t>> places;
  for (const Worker& w : workers) {
    if (w.stop_wanted || drained.contains(w.instance)) continue;
    if (!places.insert({w.service, w.ordinal}).second) {
      Break(Cat("two workers are ", w.name()));
    }
  }
  std::set<uint16_t> started;
  for (const Action& action : plan.actions) {
    const auto* start = std::get_if<StartWorker>(&action);
    if (start == nullptr) continue;
    if (!started.insert(start->port).second) Break(Cat("two starts on port ", start->port));
    for (const Worker& w : workers) {
      const bool before = w.instance == start->successor_of;
      if (w.port != start->port || !MayLive(w)) continue;
      Break(Cat(before ? "a successor starts before the port is free: " : "two on one port: ",
                ToString(action), ", which ", w.instance, " has"));
    }
  }
}

void Laws::CheckService(const ServiceDesire& desire, std::span<const Worker> workers,
                        const Plan& plan) {
  const Rollout& rollout = desire.spec.rollout;
  uint32_t exist = 0;
  uint32_t serve = 0;
  for (const Worker& w : workers) {
    if (w.service != desire.spec.name) continue;
    ++exist;
    serve += Serves(w) ? 1 : 0;
  }
  const uint32_t least = desire.spec.replicas > rollout.max_unavailable
                             ? desire.spec.replicas - rollout.max_unavailable
                             : 0;
  for (const Action& action : plan.actions) {
    if (const auto* start = std::get_if<StartWorker>(&action)) {
      if (start->service != desire.spec.name || !start->successor_of.empty()) continue;
      if (++exist > desire.spec.replicas + rollout.max_surge) {
        Break(Cat(exist, " workers of ", start->service, ", more than ", desire.spec.replicas,
                  " and a surge of ", rollout.max_surge));
      }
    } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
      const Worker* worker = FindIn(workers, drain->instance);
      if (worker == nullptr || worker->service != desire.spec.name || !Serves(*worker)) continue;
      --serve;
      if (drain->reason == "replaced" && serve < least) {
        Break(Cat("only ", serve, " of ", desire.spec.name, " serve after ", ToString(action),
                  "; at least ", least, " must"));
      }
    }
  }
}

void Laws::CheckStop(const SimulatedMachine::Process& process, bool remove) {
  const std::string& handle = process.seen.handle;
  // Once it was rightly told to stop it may be removed, too.
  if (!process.seen.running || !may_be_stopped_.insert(handle).second) return;
  if (balancers_.MaySendTo(process.seen.id)) {
    Break(Cat(handle, remove ? " is removed" : " is stopped", " while a balancer may send to it"));
  }
}

void Laws::CheckSecondCall(const std::string& what) {
  Break(Cat("a second call for ", what, " while one is under way"));
}

void Laws::CheckWorker(const Worker& worker, const SimulatedMachine& machine) {
  const auto known = states_.find(worker.instance);
  const bool was_running = known != states_.end() && known->second != WorkerState::kPending &&
                           known->second != WorkerState::kBackOff;
  const bool is_thought_dead =
      worker.state == WorkerState::kBackOff && !may_be_stopped_.contains(worker.handle);
  if (was_running && is_thought_dead && machine.Runs(worker.instance)) {
    Break(Cat(worker.instance, " runs and is thought dead"));
  }
  states_[worker.instance] = worker.state;
}

void Laws::CheckRollout(const RolloutRecord& rollout) {
  const auto known = rollouts_.find(rollout.id);
  if (known != rollouts_.end() && IsEnd(known->second) && known->second != rollout.state) {
    Break(Cat("rollout ", rollout.id, " was ", ToString(known->second), " and is ",
              ToString(rollout.state), " now"));
  }
  setting_.story.Tell([&] {
    return Cat("rollout ", rollout.id, " of ", rollout.service, " is ", ToString(rollout.state),
               ": ", rollout.message, " (", rollout.updated, " new, ", rollout.available,
               " available, ", rollout.outdated, " old)");
  });
  rollouts_[rollout.id] = rollout.state;
  std::set<uint64_t>& active = active_[rollout.service];
  if (IsEnd(rollout.state)) {
    active.erase(rollout.id);
  } else {
    active.insert(rollout.id);
  }
  if (active.size() > 1) Break(Cat("two rollouts of ", rollout.service, " are under way"));
}

void Laws::NoteDurable(const ConfigChangeResult& result) {
  durable_revision_ = std::max(durable_revision_, result.revision.number);
  for (const RolloutRecord& rollout : result.rollouts) NoteDurable(rollout);
}

void Laws::NoteDurable(const RolloutRecord& rollout) {
  durable_rollouts_[rollout.id] = rollout.state;
}

void Laws::CheckRecovery(const StoredState& rows) {
  if (rows.revisions.back().number < durable_revision_) {
    Break(Cat("revision ", durable_revision_, " was acknowledged and is lost"));
  }
  for (const auto& [id, state] : durable_rollouts_) {
    const auto row = std::find_if(rows.rollouts.begin(), rows.rollouts.end(),
                                  [id = id](const RolloutRecord& r) { return r.id == id; });
    if (row == rows.rollouts.end()) {
      Break(Cat("rollout ", id, " was acknowledged and is lost"));
    } else if (IsEnd(state) && row->state != state) {
      Break(
          Cat("rollout ", id, " was ", ToString(state), " and comes back ", ToString(row->state)));
    }
  }
}

// What it had not written down never happened.
void Laws::ControlPlaneDied() {
  states_.clear();
  rollouts_.clear();
  active_.clear();
}

void Laws::CheckConverged(Cluster& cluster, const SimulatedMachine& machine) {
  std::set<std::string> wanted;
  for (const Worker& w : cluster.workers().workers()) {
    wanted.insert(w.id);
    if (!machine.Answers(w.instance)) Break(Cat(w.name(), " is ready and does not answer"));
  }
  for (const auto& [handle, process] : machine.processes()) {
    if (!wanted.contains(handle)) Break(Cat("an orphan is left: ", handle));
  }
  if (machine.processes().size() != wanted.size()) Break("a worker has no process");
  for (const std::set<std::string>& used : balancers_.Uses()) {
    if (used != wanted) Break("a balancer does not use exactly the workers that are ready");
  }
  if (balancers_.running() != cluster.balancers().balancers().size()) {
    Break("there are other balancers than those that are known");
  }
}

void Laws::CheckAllGone(const SimulatedMachine& machine) {
  if (!machine.processes().empty()) {
    Break(Cat(machine.processes().begin()->first, " is left after everything has stopped"));
  }
  if (balancers_.running() != 0) Break("a balancer is left after everything has stopped");
}

}  // namespace gocomet::controlplane
