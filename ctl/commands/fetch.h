#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "ctl/client/control_plane.h"

// Lists as the commands show them: all, or those that were named, in the order of their naming.
namespace gocomet::ctl {

absl::StatusOr<v1::ListWorkersResponse> FetchWorkers(ControlPlane& control_plane,
                                                     const std::vector<std::string>& names,
                                                     const std::string& service);
absl::StatusOr<v1::ListBalancersResponse> FetchBalancers(ControlPlane& control_plane,
                                                         const std::vector<std::string>& names);
absl::StatusOr<v1::ListServicesResponse> FetchServices(ControlPlane& control_plane,
                                                       const std::vector<std::string>& names);
// INVALID_ARGUMENT where a name is not a number.
absl::StatusOr<v1::ListRevisionsResponse> FetchRevisions(ControlPlane& control_plane,
                                                         const std::vector<std::string>& names);
// The newest `limit` (0: all), the newest last, as a log reads. Only those about exactly `subject`
// where it is not empty.
absl::StatusOr<v1::ListEventsResponse> FetchEvents(ControlPlane& control_plane,
                                                   const std::string& subject, uint64_t limit);

absl::StatusOr<uint64_t> ParseRevision(const std::string& text);

}  // namespace gocomet::ctl
