#include "dataplane/health/endpoint_health.h"

#include <utility>

namespace gocomet::dataplane {

bool EndpointHealth::ObserveProbe(ProbeOutcome outcome, std::string reason,
                                  const HealthPolicy& policy) {
  if (outcome == ProbeOutcome::kPassed) {
    failures_ = 0;
    ++passes_;
    if (healthy() || passes_ >= policy.healthy_threshold) {
      reason_.clear();
      return Become(Verdict::kHealthy);
    }
    return Become(Verdict::kFailing);
  }
  passes_ = 0;
  reason_ = std::move(reason);
  if (outcome == ProbeOutcome::kRefused) return Become(Verdict::kRefusing);
  ++failures_;
  if (healthy() && failures_ < policy.unhealthy_threshold) return false;
  return Become(Verdict::kFailing);
}

bool EndpointHealth::ObserveRefusal(std::string reason) {
  return ObserveProbe(ProbeOutcome::kRefused, std::move(reason), HealthPolicy{});
}

bool EndpointHealth::Become(Verdict verdict) { return std::exchange(verdict_, verdict) != verdict; }

}  // namespace gocomet::dataplane
