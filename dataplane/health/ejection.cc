#include "dataplane/health/ejection.h"

#include <algorithm>

namespace gocomet::dataplane {

void Ejection::Eject(SteadyTime now, const EjectionPolicy& policy) {
  if (active(now)) return;
  const int64_t forgiven = policy.time.count() > 0 ? (now - until_) / policy.time : 0;
  times_ = std::max<int64_t>(0, times_ - forgiven);
  // Beyond the bound a count would only take longer to forgive.
  const int64_t times_max =
      policy.time.count() > 0 ? (policy.time_max.count() - 1) / policy.time.count() + 1 : 1;
  times_ = std::min(times_ + 1, std::max<int64_t>(1, times_max));
  length_ = std::min(policy.time * times_, std::max(policy.time_max, policy.time));
  until_ = now + length_;
}

}  // namespace gocomet::dataplane
