#include "controlplane/cluster/rollout_view.h"

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

bool Stays(const Worker& w) { return !w.stop_wanted && w.state != WorkerState::kStopped; }

// Runs what it should; one in back-off stands for a successor that will.
bool IsNew(const Worker& w, const ServiceDesire& desire) { return IsUpToDate(w, desire); }

bool IsAvailable(const Worker& w, const ServiceDesire& desire, SteadyTime now) {
  if (w.held) return true;
  return w.state == WorkerState::kReady &&
         now >= w.ready_since.value_or(now) + desire.spec.rollout.min_ready;
}

// Nothing of it runs any more.
bool IsGone(const Worker& w) { return w.state == WorkerState::kBackOff && w.handle.empty(); }

std::string LastProbeOf(const Worker& w) {
  if (!w.last_probe) return "";
  return Cat("; last probe, ", w.last_probe->target, ": ", w.last_probe->result);
}

}  // namespace

RolloutView ViewRollout(const ServiceDesire& desire, std::span<const Worker> workers,
                        SteadyTime now) {
  RolloutView view;
  view.wanted = desire.spec.replicas;
  for (const Worker& w : workers) {
    if (w.service != desire.spec.name) continue;
    if (w.takes_requests()) ++view.serving;
    if (!IsNew(w, desire)) {
      if (!IsGone(w)) ++view.outdated;
    } else if (Stays(w)) {
      ++view.updated;
      if (IsAvailable(w, desire, now)) ++view.available;
    }
  }
  return view;
}

std::string DiagnoseRollout(const ServiceDesire& desire, std::span<const Worker> workers) {
  const Worker* failed = nullptr;
  const Worker* waits = nullptr;
  for (const Worker& w : workers) {
    if (w.service != desire.spec.name || !IsNew(w, desire) || !Stays(w)) continue;
    if (w.failure && (failed == nullptr || w.failure->time > failed->failure->time)) failed = &w;
    if (w.state != WorkerState::kReady) waits = &w;
  }
  if (failed != nullptr) return Cat(failed->name(), ": ", failed->failure->cause);
  if (waits != nullptr) {
    return Cat(waits->name(), " is ", ToString(waits->state),
               waits->reason.empty() ? "" : Cat(": ", waits->reason), LastProbeOf(*waits));
  }
  for (const Worker& w : workers) {
    if (w.service != desire.spec.name || IsNew(w, desire)) continue;
    return Cat(w.name(), ", which is to go, is ", ToString(w.state));
  }
  return "no new worker was started";
}

std::set<std::string> OutdatedHashes(const ServiceDesire& desire, std::span<const Worker> workers) {
  std::set<std::string> hashes;
  for (const Worker& w : workers) {
    const bool counts = w.service == desire.spec.name && Stays(w) && !w.replace_requested;
    if (counts && !IsUpToDate(w, desire) && !IsGone(w)) hashes.insert(w.template_hash);
  }
  return hashes;
}

}  // namespace gocomet::controlplane
