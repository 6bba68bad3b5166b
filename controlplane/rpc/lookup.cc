#include "controlplane/rpc/lookup.h"

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/request_checks.h"

namespace gocomet::controlplane {

absl::StatusOr<const Service*> FindService(Cluster& cluster, std::string_view field,
                                           const std::string& name) {
  if (!name.empty()) GOCOMET_RETURN_IF_ERROR(CheckServiceName(field, name));
  auto service = cluster.LookupService(name);
  if (!service.ok()) return AtField(field, service.status());
  return service;
}

absl::StatusOr<Worker*> FindWorker(Cluster& cluster, std::string_view field,
                                   const std::string& id) {
  GOCOMET_RETURN_IF_ERROR(CheckName(field, id));
  auto worker = cluster.workers().Lookup(id);
  if (absl::IsInvalidArgument(worker.status())) {
    return InvalidField(field, MessageOf(worker.status()));
  }
  if (!worker.ok()) return AtField(field, worker.status());
  return worker;
}

absl::StatusOr<const Revision*> FindRevision(Cluster& cluster, std::string_view field,
                                             uint64_t number) {
  const Revision* revision = cluster.desired_state().Find(number);
  if (revision != nullptr) return revision;
  return AtField(field, absl::NotFoundError(Cat("there is no revision ", number, "; the newest is ",
                                                cluster.desired_state().newest().number,
                                                ", and `gocometctl get revisions` lists them")));
}

}  // namespace gocomet::controlplane
