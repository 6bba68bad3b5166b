#include "controlplane/rollout/rollout_machine.h"

#include <algorithm>
#include <utility>

#include "common/base/duration_text.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

std::string Named(const RolloutRecord& rollout) {
  return Cat("rollout ", rollout.id, " of ", rollout.service);
}

absl::Status Ended(const RolloutRecord& rollout) {
  return absl::FailedPreconditionError(Cat(Named(rollout), " is ", ToString(rollout.state),
                                           " already; `gocometctl rollout restart ",
                                           rollout.service, "` begins another"));
}

// `none`, or the number.
std::string Number(uint64_t count) { return count == 0 ? "none" : Cat(count); }

}  // namespace

RolloutVerdict ObserveRollout(RolloutRecord& rollout, RolloutPace& pace, const RolloutView& view,
                              const Rollout& settings, SteadyTime now) {
  if (rollout.outdated > view.outdated) {
    rollout.report.workers_replaced += rollout.outdated - view.outdated;
  }
  rollout.wanted = view.wanted;
  rollout.updated = view.updated;
  rollout.available = view.available;
  rollout.outdated = view.outdated;
  rollout.report.lowest_capacity = std::min(rollout.report.lowest_capacity, view.serving);

  const bool progressed = !pace.has_begun || view.available > pace.most_available ||
                          view.outdated < pace.least_outdated;
  pace.has_begun = true;
  pace.most_available = std::max(pace.most_available, view.available);
  pace.least_outdated = std::min(pace.least_outdated, view.outdated);
  if (progressed || rollout.state == RolloutState::kPaused) pace.since = now;

  if (rollout.state == RolloutState::kPaused) return RolloutVerdict::kGoesOn;
  if (view.outdated == 0 && view.available >= view.wanted) return RolloutVerdict::kDone;
  const bool is_late = now >= pace.since + settings.progress_deadline;
  return is_late ? RolloutVerdict::kStuck : RolloutVerdict::kGoesOn;
}

std::optional<SteadyTime> StuckAt(const RolloutRecord& rollout, const RolloutPace& pace,
                                  const Rollout& settings) {
  if (rollout.state != RolloutState::kProgressing || !pace.has_begun) return std::nullopt;
  return pace.since + settings.progress_deadline;
}

absl::Status PauseRollout(RolloutRecord& rollout, std::string message) {
  if (rollout.state == RolloutState::kPaused) {
    return absl::FailedPreconditionError(Cat(Named(rollout),
                                             " is paused already; `gocometctl rollout resume ",
                                             rollout.service, "` lets it go on"));
  }
  if (!rollout.is_active()) return Ended(rollout);
  rollout.state = RolloutState::kPaused;
  rollout.message = std::move(message);
  return absl::OkStatus();
}

absl::Status ResumeRollout(RolloutRecord& rollout, RolloutPace& pace, std::string message) {
  if (rollout.state == RolloutState::kProgressing) {
    return absl::FailedPreconditionError(Cat(Named(rollout),
                                             " is not paused; `gocometctl rollout status ",
                                             rollout.service, "` shows how it goes on"));
  }
  if (!rollout.is_active()) return Ended(rollout);
  rollout.state = RolloutState::kProgressing;
  rollout.message = std::move(message);
  pace = {};
  return absl::OkStatus();
}

absl::Status CheckUnderWay(const RolloutRecord& rollout) {
  if (rollout.is_active()) return absl::OkStatus();
  return absl::FailedPreconditionError(Cat(
      Named(rollout), " is ", ToString(rollout.state), " already",
      rollout.state == RolloutState::kDone
          ? Cat("; `gocometctl rollout undo ", rollout.service, "` goes back to what ran before")
          : ""));
}

absl::Status CheckUndo(const RolloutRecord& rollout) {
  if (rollout.is_active()) {
    return absl::FailedPreconditionError(Cat(Named(rollout),
                                             " is still under way; `gocometctl rollout abort ",
                                             rollout.service, "` gives it up"));
  }
  if (rollout.state != RolloutState::kDone) {
    return absl::FailedPreconditionError(
        Cat(Named(rollout), " is ", ToString(rollout.state),
            ": what it changed is not what runs; `gocometctl rollback REVISION` goes to any "
            "revision"));
  }
  if (rollout.from_revision == 0) {
    return absl::FailedPreconditionError(
        Cat(Named(rollout), " was the service's first; there is nothing before it"));
  }
  return absl::OkStatus();
}

void EndRollout(RolloutRecord& rollout, RolloutState state, std::string message, WallTime now) {
  rollout.state = state;
  rollout.message = std::move(message);
  rollout.end_time = now;
}

std::string ReportText(const RolloutRecord& rollout) {
  const RolloutReport& report = rollout.report;
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(rollout.end_time - rollout.create_time);
  return Cat(report.workers_replaced, report.workers_replaced == 1 ? " worker" : " workers",
             " replaced in ", FormatDuration(took), "; ",
             report.requests == 0 ? "no" : Cat(report.requests), " requests, ",
             Number(report.server_errors), " answered 5xx by workers, ",
             Number(report.balancer_errors), " by balancers, ", Number(report.retried),
             " tried again; lowest capacity ", report.lowest_capacity, ", longest drain ",
             FormatDuration(report.longest_drain));
}

}  // namespace gocomet::controlplane
