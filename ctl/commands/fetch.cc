#include "ctl/commands/fetch.h"

#include <algorithm>
#include <charconv>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::ctl {

absl::StatusOr<v1::ListWorkersResponse> FetchWorkers(ControlPlane& control_plane,
                                                     const std::vector<std::string>& names,
                                                     const std::string& service) {
  if (names.empty()) return control_plane.ListWorkers(service);
  v1::ListWorkersResponse list;
  for (const std::string& name : names) {
    GOCOMET_ASSIGN_OR_RETURN(*list.add_workers(), control_plane.GetWorker(name));
  }
  return list;
}

absl::StatusOr<v1::ListBalancersResponse> FetchBalancers(ControlPlane& control_plane,
                                                         const std::vector<std::string>& names) {
  if (names.empty()) return control_plane.ListBalancers();
  v1::ListBalancersResponse list;
  for (const std::string& name : names) {
    GOCOMET_ASSIGN_OR_RETURN(*list.add_balancers(), control_plane.GetBalancer(name));
  }
  return list;
}

absl::StatusOr<v1::ListServicesResponse> FetchServices(ControlPlane& control_plane,
                                                       const std::vector<std::string>& names) {
  if (names.empty()) return control_plane.ListServices();
  v1::ListServicesResponse list;
  for (const std::string& name : names) {
    GOCOMET_ASSIGN_OR_RETURN(*list.add_services(), control_plane.GetService(name));
  }
  return list;
}

absl::StatusOr<v1::ListRevisionsResponse> FetchRevisions(ControlPlane& control_plane,
                                                         const std::vector<std::string>& names) {
  if (names.empty()) return control_plane.ListRevisions();
  v1::ListRevisionsResponse list;
  for (const std::string& name : names) {
    v1::GetConfigRequest request;
    GOCOMET_ASSIGN_OR_RETURN(const uint64_t number, ParseRevision(name));
    request.set_revision(number);
    GOCOMET_ASSIGN_OR_RETURN(const v1::GetConfigResponse config, control_plane.GetConfig(request));
    *list.add_revisions() = config.revision();
  }
  return list;
}

absl::StatusOr<v1::ListEventsResponse> FetchEvents(ControlPlane& control_plane,
                                                   const std::string& subject, uint64_t limit) {
  GOCOMET_ASSIGN_OR_RETURN(v1::ListEventsResponse list, control_plane.ListEvents(subject, limit));
  auto* events = list.mutable_events();
  if (!subject.empty()) {
    // The prefix of one name may be another: worker-1 and worker-10.
    events->erase(
        std::remove_if(events->begin(), events->end(),
                       [&](const v1::Event& event) { return event.subject() != subject; }),
        events->end());
  }
  std::reverse(events->begin(), events->end());
  return list;
}

absl::StatusOr<uint64_t> ParseRevision(const std::string& text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end && number > 0) return number;
  return absl::InvalidArgumentError(Cat(
      "revision '", text, "': expected a number from 1; `gocometctl get revisions` lists them"));
}

}  // namespace gocomet::ctl
