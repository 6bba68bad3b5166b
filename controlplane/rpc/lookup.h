#pragma once

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "controlplane/cluster/cluster.h"

// What a request names, found in the model. The owner's thread only. Every error names `field`:
// INVALID_ARGUMENT for a name that cannot be one or is not clear, NOT_FOUND for what does not
// exist.
namespace gocomet::controlplane {

// The only service where `name` is empty.
absl::StatusOr<const Service*> FindService(Cluster& cluster, std::string_view field,
                                           const std::string& name);

// By id, an unambiguous prefix of it, or name.
absl::StatusOr<Worker*> FindWorker(Cluster& cluster, std::string_view field, const std::string& id);

absl::StatusOr<const Revision*> FindRevision(Cluster& cluster, std::string_view field,
                                             uint64_t number);

}  // namespace gocomet::controlplane
