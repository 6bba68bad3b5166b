#include "controlplane/cluster/snapshot.h"

#include <algorithm>

namespace gocomet::controlplane {
namespace {

bool BelongsIn(const Worker& worker) {
  return worker.state == WorkerState::kReady || worker.state == WorkerState::kUnhealthy ||
         worker.state == WorkerState::kDraining;
}

}  // namespace

Snapshot BuildSnapshot(uint64_t revision, const Desired& desired, std::span<const Worker> workers) {
  Snapshot snapshot;
  snapshot.revision = revision;
  snapshot.routes = desired.routes;
  for (const ServiceDesire& desire : desired.services) {
    SnapshotService service{desire.spec.name, desire.spec.health, {}};
    std::vector<const Worker*> own;
    for (const Worker& worker : workers) {
      if (worker.service == desire.spec.name && BelongsIn(worker)) own.push_back(&worker);
    }
    std::sort(own.begin(), own.end(),
              [](const Worker* a, const Worker* b) { return a->ordinal < b->ordinal; });
    for (const Worker* worker : own) {
      service.endpoints.push_back({worker->id, worker->generation, worker->balancer_address,
                                   worker->state == WorkerState::kDraining});
    }
    snapshot.services.push_back(std::move(service));
  }
  return snapshot;
}

}  // namespace gocomet::controlplane
