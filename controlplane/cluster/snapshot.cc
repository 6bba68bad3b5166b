#include "controlplane/cluster/snapshot.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

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
  std::unordered_map<std::string_view, std::vector<const Worker*>> by_service;
  for (const Worker& worker : workers) {
    if (BelongsIn(worker)) by_service[worker.service].push_back(&worker);
  }
  for (const ServiceDesire& desire : desired.services) {
    SnapshotService service{desire.spec.name, desire.spec.health, {}};
    std::vector<const Worker*>& own = by_service[desire.spec.name];
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
