#include "controlplane/model/rollout.h"

namespace gocomet::controlplane {

const char* ToString(RolloutCause cause) {
  switch (cause) {
    case RolloutCause::kApply:
      return "apply";
    case RolloutCause::kRestart:
      return "restart";
    case RolloutCause::kRollback:
      return "rollback";
    case RolloutCause::kUndo:
      return "undo";
    case RolloutCause::kUpgrade:
      return "upgrade";
  }
  return "unknown";
}

const char* ToString(RolloutState state) {
  switch (state) {
    case RolloutState::kProgressing:
      return "progressing";
    case RolloutState::kPaused:
      return "paused";
    case RolloutState::kDone:
      return "done";
    case RolloutState::kRolledBack:
      return "rolled back";
    case RolloutState::kFailed:
      return "failed";
    case RolloutState::kAborted:
      return "aborted";
    case RolloutState::kSuperseded:
      return "superseded";
  }
  return "unknown";
}

}  // namespace gocomet::controlplane
