#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <absl/status/status.h>

#include "common/base/clock.h"
#include "controlplane/model/rollout.h"
#include "controlplane/model/service.h"

// How a rollout goes on from what is seen and asked. Pure: it reads no clock and does nothing.
//
//     progressing ──▶ done
//      │  ▲    ├────▶ rolled back, failed     no progress for too long
//      ▼  │    ├────▶ aborted                 by an operator
//     paused ──┴────▶ superseded              by a newer change
namespace gocomet::controlplane {

// What is seen of the service's workers.
struct RolloutView {
  uint32_t wanted = 0;
  uint32_t updated = 0;    // New workers that exist and stay.
  uint32_t available = 0;  // Those of them that have been ready for long enough, or are held.
  uint32_t outdated = 0;   // Old workers that exist, those that leave among them.
  uint32_t serving = 0;    // Workers that take requests, old and new.
};

// Since when there has been no progress. Of one life of the control plane: after its return a
// rollout has its whole deadline again.
struct RolloutPace {
  SteadyTime since{};
  uint32_t most_available = 0;
  uint32_t least_outdated = std::numeric_limits<uint32_t>::max();
  bool has_begun = false;
};

enum class RolloutVerdict : uint8_t { kGoesOn, kDone, kStuck };

// Takes what is seen into the record and says how it stands. Progress is one more new worker that
// is available, or one old worker fewer. A paused rollout goes on.
RolloutVerdict ObserveRollout(RolloutRecord& rollout, RolloutPace& pace, const RolloutView& view,
                              const Rollout& settings, SteadyTime now);

// When it is stuck unless there is progress; none while it is paused or has not been seen.
std::optional<SteadyTime> StuckAt(const RolloutRecord& rollout, const RolloutPace& pace,
                                  const Rollout& settings);

// The operator's verbs: FAILED_PRECONDITION says what the state allows instead, and changes
// nothing.
absl::Status PauseRollout(RolloutRecord& rollout, std::string message);
absl::Status ResumeRollout(RolloutRecord& rollout, RolloutPace& pace, std::string message);
// What is to be aborted must be under way.
absl::Status CheckUnderWay(const RolloutRecord& rollout);
// What is to be undone must be done, and have changed something.
absl::Status CheckUndo(const RolloutRecord& rollout);

void EndRollout(RolloutRecord& rollout, RolloutState state, std::string message, WallTime now);

// `1520 requests, none failed, none tried again; …`, for people.
std::string ReportText(const RolloutRecord& rollout);

}  // namespace gocomet::controlplane
