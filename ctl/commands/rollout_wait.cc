#include "ctl/commands/rollout_wait.h"

#include <chrono>
#include <string>
#include <thread>

#include "common/base/duration_text.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/output/display_width.h"
#include "ctl/views/rollouts.h"

namespace gocomet::ctl {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{200};
// How long nobody may answer until the control plane counts as gone for good.
constexpr std::chrono::seconds kAbsencePatience{30};

// What --timeout allows, and how long nobody has answered.
class Patience {
 public:
  explicit Patience(const Session& session) : limit_(session.stream_timeout()) {}

  bool is_over() const { return limit_ && Clock::now() - begun_ >= *limit_; }
  std::string limit() const { return limit_ ? FormatDuration(*limit_) : ""; }
  void Answered() { answered_ = Clock::now(); }
  bool is_gone() const { return Clock::now() - answered_ >= kAbsencePatience; }

 private:
  using Clock = std::chrono::steady_clock;
  const std::optional<std::chrono::milliseconds> limit_;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point answered_ = Clock::now();
};

absl::Status StillUnderWay(const v1::Rollout& rollout, const Patience& patience) {
  return absl::DeadlineExceededError(Cat(RolloutName(rollout), " is still under way after ",
                                         patience.limit(), " (", ProgressText(rollout),
                                         ") and goes on; `gocometctl rollout status ",
                                         rollout.service(), "` shows how"));
}

// The control plane is not there now, and may come back.
bool IsAbsence(const absl::Status& status) { return status.ok() || absl::IsUnavailable(status); }

int ExitCodeOf(Session& session, const v1::Rollout& rollout) {
  if (rollout.state() == v1::ROLLOUT_STATE_DONE) return kOk;
  session.Note(Cat("gocometctl: ", RolloutName(rollout), " is ", StateText(rollout),
                   rollout.message().empty() ? "" : Cat(": ", OneLine(rollout.message()))));
  return kRolloutFailed;
}

// Until everything that the revision wants is ready, or a newer one has come.
absl::Status WaitForRevision(Session& session, uint64_t revision) {
  Patience patience(session);
  while (true) {
    const auto status = session.control_plane().GetStatus();
    if (status.ok()) {
      patience.Answered();
      if (status->revision() > revision) return absl::OkStatus();
      if (status->revision() == revision && status->converged()) return absl::OkStatus();
    } else if (!IsAbsence(status.status()) || patience.is_gone()) {
      return status.status();
    }
    if (patience.is_over()) {
      return absl::DeadlineExceededError(Cat("not everything that revision ", revision,
                                             " wants is ready after ", patience.limit(),
                                             "; `gocometctl status` shows what is not"));
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

absl::StatusOr<v1::Rollout> WaitForRollout(Session& session, const v1::Rollout& begun) {
  v1::Rollout rollout = begun;
  std::string shown;
  Patience patience(session);
  const auto take = [&](const v1::Rollout& now) {
    rollout = now;
    patience.Answered();
    const std::string line = Cat(RolloutName(now), ": ", ProgressText(now), "\n");
    if (session.is_for_people() && line != shown) session.Print(line);
    shown = line;
    return now.state() == v1::ROLLOUT_STATE_PROGRESSING;
  };
  while (take(rollout)) {
    v1::WatchRolloutsRequest request;
    request.set_id(rollout.id());
    const absl::Status status = session.control_plane().WatchRollouts(request, take);
    if (rollout.state() != v1::ROLLOUT_STATE_PROGRESSING) break;
    if (absl::IsDeadlineExceeded(status) || patience.is_over()) {
      return StillUnderWay(rollout, patience);
    }
    if (!IsAbsence(status)) return status;
    while (true) {
      std::this_thread::sleep_for(kBetweenLooks);
      const auto found = session.control_plane().GetRollout(rollout.id(), "");
      if (found.ok()) {
        rollout = *found;
        break;
      }
      if (!IsAbsence(found.status()) || patience.is_gone()) return found.status();
      if (patience.is_over()) return StillUnderWay(rollout, patience);
    }
  }
  return rollout;
}

int ShowEnd(Session& session, const v1::Rollout& rollout) {
  session.Show(rollout, Cat("rollout/", rollout.id()), ReportLines(rollout));
  return ExitCodeOf(session, rollout);
}

absl::StatusOr<int> WaitForApplied(Session& session, const v1::ApplyConfigResponse& applied) {
  int exit_code = kOk;
  for (const v1::Rollout& begun : applied.rollouts()) {
    GOCOMET_ASSIGN_OR_RETURN(const v1::Rollout ended, WaitForRollout(session, begun));
    const int code = session.is_for_people() ? ShowEnd(session, ended) : ExitCodeOf(session, ended);
    if (exit_code == kOk) exit_code = code;
  }
  if (exit_code != kOk) return exit_code;
  GOCOMET_RETURN_IF_ERROR(WaitForRevision(session, applied.revision().number()));
  return exit_code;
}

}  // namespace gocomet::ctl
