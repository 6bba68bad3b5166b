#include "worker/behaviour.h"

#include <algorithm>

namespace gocomet::worker {
namespace {

// Maps 64 random bits onto [0, bound). The largest bound here is an hour in microseconds, for which
// no value is preferred by more than one part in 2^32. std::uniform_int_distribution would differ
// from one standard library to the next.
uint64_t Below(uint64_t bits, uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Wide>(bits) * bound) >> 64);
}

}  // namespace

Outcome Behaviour::Next(const Settings& settings) {
  const uint64_t failure_bits = random_();
  const uint64_t delay_bits = random_();
  if (Below(failure_bits, 100) < settings.failure_percent) return {.fails = true};

  const auto average = static_cast<uint64_t>(
      std::clamp<std::chrono::microseconds>(settings.average_delay, std::chrono::microseconds(0),
                                            kAverageDelayMax)
          .count());
  const uint64_t shortest = average / 2;
  const uint64_t longest = average + average / 2;
  const uint64_t delay = shortest + Below(delay_bits, longest - shortest + 1);
  return {.fails = false, .delay = std::chrono::microseconds(delay)};
}

}  // namespace gocomet::worker
