#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "controlplane/cluster/plan.h"
#include "controlplane/model/config.h"
#include "controlplane/model/worker.h"

// What balancers need of a revision and of the workers' states. Pure.
namespace gocomet::controlplane {

struct SnapshotEndpoint {
  std::string worker_id;
  uint64_t incarnation = 0;
  std::string address;
  bool draining = false;
  bool operator==(const SnapshotEndpoint&) const = default;
};

struct SnapshotService {
  std::string name;
  HealthCheck health;
  std::vector<SnapshotEndpoint> endpoints;  // In ordinal order.
  bool operator==(const SnapshotService&) const = default;
};

struct Snapshot {
  uint64_t version = 0;
  uint64_t revision = 0;
  std::vector<SnapshotService> services;
  std::vector<Route> routes;  // None: everything goes to the only service.

  // Whether balancers would act on it in the same way.
  bool SameContent(const Snapshot& other) const {
    return revision == other.revision && services == other.services && routes == other.routes;
  }
};

// Workers that have been ready, or drain: balancers judge the health of those for themselves. The
// version is left 0.
Snapshot BuildSnapshot(uint64_t revision, const Desired& desired, std::span<const Worker> workers);

}  // namespace gocomet::controlplane
