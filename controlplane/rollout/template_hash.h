#pragma once

#include <cstdint>
#include <string>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// Beside the service itself, what its workers are compared by.
struct TemplateContext {
  RuntimeKind runtime = RuntimeKind::kAuto;
  std::string worker_program;  // Content of the demo worker's program; of no other workload.
  uint64_t generation = 0;     // Of restarts.
};

// Says what a worker was started with: workers with another one are outdated. Covers the workload
// and the address it is published on; not what running workers can be told (the demo worker's
// dials), nor what is not theirs (replicas, health checks, limits of rollouts). Hex SHA-256 of a
// canonical text, so that values of the environment cannot be read from it.
std::string TemplateHash(const Service& service, const TemplateContext& context);

}  // namespace gocomet::controlplane
