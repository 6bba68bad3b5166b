#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace gocomet::dataplane {

struct HealthPolicy {
  uint32_t healthy_threshold = 1;    // Probes in a row that bring it back.
  uint32_t unhealthy_threshold = 2;  // Probes in a row that take it out.
};

// The judgement about one endpoint, fed by probes and by what requests meet. No clock, no socket.
// One that is named for the first time is trusted: whoever named it has probed it.
class EndpointHealth {
 public:
  // A probe passed or failed; `timed_out`: it took the connection and did not answer. True where
  // the judgement changed.
  bool ObserveProbe(bool passed, bool timed_out, std::string reason, const HealthPolicy& policy) {
    if (passed) {
      failures_ = 0;
      if (healthy_ || ++passes_ < policy.healthy_threshold) return false;
      healthy_ = true;
      reason_.clear();
      return true;
    }
    passes_ = 0;
    reason_ = std::move(reason);
    const bool was_refusing = !healthy_ && !timed_out_;
    timed_out_ = timed_out;
    if (!healthy_) return was_refusing == timed_out;
    // A connection that is refused needs no second opinion.
    if (timed_out && ++failures_ < policy.unhealthy_threshold) return false;
    if (!timed_out) failures_ = policy.unhealthy_threshold;
    healthy_ = false;
    return true;
  }

  // A request could not connect to it: out at once.
  bool ObserveRefusal(std::string reason) {
    return ObserveProbe(false, false, std::move(reason), HealthPolicy{});
  }

  bool healthy() const { return healthy_; }
  // Not healthy, and yet it may still take connections.
  bool only_slow() const { return !healthy_ && timed_out_; }
  const std::string& reason() const { return reason_; }

 private:
  bool healthy_ = true;
  bool timed_out_ = false;
  uint32_t passes_ = 0;
  uint32_t failures_ = 0;
  std::string reason_;
};

}  // namespace gocomet::dataplane
