#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/clock.h"

namespace gocomet::dataplane {

struct EjectionPolicy {
  uint32_t failures = 5;  // Requests in a row whose connection failed or broke; 0: never eject.
  std::chrono::milliseconds time{10'000};  // Of a first ejection.
  std::chrono::milliseconds time_max{300'000};
  bool operator==(const EjectionPolicy&) const = default;
};

// How long one endpoint is kept out for what requests met at it, whatever its probes say: each time
// longer by the first time, up to a bound. For as long as it then serves without another ejection
// it is forgiven: one ejection for each such time. No clock: times are arguments, and never go
// back.
class Ejection {
 public:
  void Eject(SteadyTime now, const EjectionPolicy& policy);

  bool active(SteadyTime now) const { return now < until_; }
  // The first moment at which it is not active any more.
  SteadyTime until() const { return until_; }
  // How long the last one is, or was.
  std::chrono::milliseconds length() const { return length_; }

 private:
  SteadyTime until_{};
  std::chrono::milliseconds length_{0};
  int64_t times_ = 0;  // Not forgiven at the last ejection.
};

}  // namespace gocomet::dataplane
