#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "common/base/clock.h"

namespace gocomet::controlplane {

// How often something may happen: `per_second` in the long run, `burst` at once.
struct Rate {
  double per_second = 0;
  double burst = 0;
};

// The token bucket of RFC 2697's kind: it holds up to `burst` and fills at `per_second`. Pure; not
// thread-safe. Time may stand still and never goes back.
class TokenBucket {
 public:
  TokenBucket(Rate rate, SteadyTime now) : rate_(rate), level_(rate.burst), filled_at_(now) {}

  // Takes one; or says after what time there will be one.
  std::optional<std::chrono::milliseconds> Take(SteadyTime now) {
    Fill(now);
    if (level_ >= 1) {
      level_ -= 1;
      return std::nullopt;
    }
    const std::chrono::duration<double> wait((1 - level_) / rate_.per_second);
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(wait),
                    std::chrono::milliseconds(1));
  }

  // Whether it holds all that fits: nobody would notice a new one in its place.
  bool IsFull(SteadyTime now) {
    Fill(now);
    return level_ >= rate_.burst;
  }

 private:
  void Fill(SteadyTime now) {
    if (now <= filled_at_) return;
    const std::chrono::duration<double> passed = now - filled_at_;
    level_ = std::min(rate_.burst, level_ + passed.count() * rate_.per_second);
    filled_at_ = now;
  }

  Rate rate_;
  double level_;
  SteadyTime filled_at_;
};

}  // namespace gocomet::controlplane
