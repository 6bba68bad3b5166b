#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace gocomet::worker {

// The dials of the demo worker. They may change at any time and apply to the requests that come
// after.
struct Settings {
  std::chrono::microseconds average_delay{0};
  uint32_t failure_percent = 0;  // 0: none fails; 100: every one does.
  bool operator==(const Settings&) const = default;
};

// The longest average delay that is taken; longer ones are cut to it.
inline constexpr std::chrono::hours kAverageDelayMax{1};

// What one request gets.
struct Outcome {
  bool fails = false;                  // Answered 500 at once; the delay is 0.
  std::chrono::microseconds delay{0};  // Wait before the answer.
  bool operator==(const Outcome&) const = default;
};

// Decides what each request gets. The same seed and settings give the same sequence on every
// machine; a request takes the same share of the random sequence whatever the settings, so changing
// one dial does not disturb the other's pattern. Not thread safe.
class Behaviour {
 public:
  explicit Behaviour(uint64_t seed) : random_(seed) {}

  // Fails with probability failure_percent / 100 exactly. Otherwise the delay is uniform over the
  // whole microseconds in [average / 2, 3 * average / 2], both ends included.
  Outcome Next(const Settings& settings);

 private:
  std::mt19937_64 random_;  // Its sequence is fixed by the C++ standard.
};

}  // namespace gocomet::worker
