#include <CLI/CLI.hpp>

#include "common/base/status_macros.h"
#include "ctl/commands/commands.h"
#include "ctl/views/overview.h"

namespace gocomet::ctl {
namespace {

absl::StatusOr<Overview> FetchOverview(Session& session) {
  ControlPlane& control_plane = session.control_plane();
  Overview overview;
  overview.server = session.server();
  GOCOMET_ASSIGN_OR_RETURN(overview.cluster, control_plane.GetStatus());
  GOCOMET_ASSIGN_OR_RETURN(overview.services, control_plane.ListServices());
  GOCOMET_ASSIGN_OR_RETURN(overview.workers, control_plane.ListWorkers(""));
  GOCOMET_ASSIGN_OR_RETURN(overview.balancers, control_plane.ListBalancers());
  GOCOMET_ASSIGN_OR_RETURN(overview.statistics,
                           control_plane.GetStatistics(v1::GetStatisticsRequest()));
  return overview;
}

int Status(Session& session) {
  if (!session.is_for_people()) {
    const auto status = session.control_plane().GetStatus();
    if (!status.ok()) return session.Fail(status.status());
    return session.Show(*status, "cluster", "");
  }
  const auto overview = FetchOverview(session);
  if (!overview.ok()) return session.Fail(overview.status());
  return session.Show(overview->cluster, "cluster",
                      DrawOverview(*overview, session.now(), session.style()));
}

}  // namespace

void AddStatusCommand(CLI::App& app, Session& session, Action& action) {
  CLI::App* status = app.add_subcommand("status", "Shows the whole system on one screen");
  status->callback([&session, &action] { action = [&session] { return Status(session); }; });
}

}  // namespace gocomet::ctl
