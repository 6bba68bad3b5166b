#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/clock.h"

namespace gocomet::dataplane {

// The share of its weight that an endpoint gets after it came: a tenth at first, and another tenth
// with each tenth of the time. No clock: times are arguments.
class SlowStart {
 public:
  static constexpr uint32_t kWhole = 10;

  // It came, or came back.
  void Begin(SteadyTime now) { began_ = now; }

  // 1 to kWhole. `time` 0: the whole share at once.
  uint32_t Tenths(SteadyTime now, std::chrono::milliseconds time) const {
    if (!began_ || time.count() <= 0 || now >= *began_ + time) return kWhole;
    const int64_t passed = (now - *began_) * int64_t{kWhole} / time;
    return static_cast<uint32_t>(std::clamp<int64_t>(passed + 1, 1, kWhole));
  }

  // When Tenths will next answer otherwise than at `now`.
  std::optional<SteadyTime> NextStep(SteadyTime now, std::chrono::milliseconds time) const {
    const uint32_t tenths = Tenths(now, time);
    if (tenths == kWhole) return std::nullopt;
    // Rounded up, so that the step has been taken then.
    const std::chrono::nanoseconds whole = time;
    return *began_ + (whole * tenths + std::chrono::nanoseconds(kWhole - 1)) / kWhole;
  }

 private:
  std::optional<SteadyTime> began_;
};

}  // namespace gocomet::dataplane
