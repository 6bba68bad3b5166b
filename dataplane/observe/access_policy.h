#pragma once

#include <chrono>
#include <cstdint>

namespace gocomet::dataplane {

// Which exchanges the access log tells of.
enum class AccessLogMode : uint8_t {
  kAll,
  kErrors,  // Those that failed.
  kSlow,    // Those that failed, and those that took long.
  kSample,  // A random share of all.
};

// Pure.
struct AccessPolicy {
  AccessLogMode mode = AccessLogMode::kAll;
  std::chrono::milliseconds slow{500};
  double sample = 0.01;  // From 0 to 1.

  // `failed`: the balancer answered by itself or the exchange was cut short; a status from 500 on
  // counts as that too. `random` is a random number of this exchange alone.
  bool Wants(int status, bool failed, std::chrono::nanoseconds duration, uint64_t random) const {
    switch (mode) {
      case AccessLogMode::kAll:
        return true;
      case AccessLogMode::kErrors:
        return failed || status >= 500;
      case AccessLogMode::kSlow:
        return failed || status >= 500 || duration >= slow;
      case AccessLogMode::kSample:
        // 53 bits, as many as a double has.
        return static_cast<double>(random >> 11) * 0x1p-53 < sample;
    }
    return true;
  }
};

}  // namespace gocomet::dataplane
