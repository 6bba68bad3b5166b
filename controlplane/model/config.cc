#include "controlplane/model/config.h"

namespace gocomet::controlplane {

const char* ToString(RuntimeKind kind) {
  switch (kind) {
    case RuntimeKind::kAuto:
      return "auto";
    case RuntimeKind::kDocker:
      return "docker";
    case RuntimeKind::kProcess:
      return "process";
    case RuntimeKind::kExternal:
      return "external";
  }
  return "unknown";
}

const char* ToString(OnFailure on_failure) {
  return on_failure == OnFailure::kPause ? "pause" : "rollback";
}

const char* ToString(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRoundRobin:
      return "round-robin";
    case Algorithm::kLeastRequests:
      return "least-requests";
    case Algorithm::kTwoChoices:
      return "two-choices";
    case Algorithm::kConsistentHash:
      return "consistent-hash";
  }
  return "unknown";
}

}  // namespace gocomet::controlplane
