#pragma once

#include <absl/status/statusor.h>

#include "ctl/app/session.h"
#include "gocomet/v1/rollouts.pb.h"

// Waiting for rollouts. Within Session::RunStream, so that Ctrl-C ends it.
namespace gocomet::ctl {

// Waits until the rollout has ended or is paused, with a line for people at each step. A control
// plane that goes away meanwhile is waited for, too: rollouts survive it. DEADLINE_EXCEEDED: it is
// still under way after --timeout.
absl::StatusOr<v1::Rollout> WaitForRollout(Session& session, const v1::Rollout& begun);

// Shows how it ended: 0 where it is done, 7 otherwise.
int ShowEnd(Session& session, const v1::Rollout& rollout);
// The same for the rollouts that an apply began, then for all that its revision wants. Scripts get
// nothing further on standard output.
absl::StatusOr<int> WaitForApplied(Session& session, const v1::ApplyConfigResponse& applied);

}  // namespace gocomet::ctl
