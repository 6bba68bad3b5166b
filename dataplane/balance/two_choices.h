#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/balance/least_requests.h"
#include "dataplane/balance/weighted_round_robin.h"

namespace gocomet::dataplane {

// The less loaded of two places drawn at random (M. Mitzenmacher, "The Power of Two Choices in
// Randomized Load Balancing", 1996): nearly as even as looking at all, at the cost of looking at
// two; and threads or balancers that know nothing of each other do not run after the same place.
// Holds no state: the same random number and the same loads give the same place.
class TwoChoices {
 public:
  // `weights` must not be empty. A place is drawn as often as its weight says.
  explicit TwoChoices(std::span<const uint32_t> weights)
      : weights_(weights.begin(), weights.end()), sequence_(SmoothSequence(weights)) {}

  // Nothing where no place is usable. All 64 bits of `random` are used.
  template <typename Load, typename Usable>
  std::optional<size_t> Next(uint64_t random, const Load& load, const Usable& usable) const {
    const size_t count = weights_.size();
    const size_t slots = sequence_.size();
    const size_t first_slot = Scale(static_cast<uint32_t>(random), slots);
    const size_t first = sequence_[first_slot];
    size_t second = first;
    if (count > 1) {
      const size_t ahead = 1 + Scale(static_cast<uint32_t>(random >> 32), slots - 1);
      second = sequence_[(first_slot + ahead) % slots];
      if (second == first) second = (first + 1) % count;
    }
    const bool first_usable = usable(first);
    const bool second_usable = second != first && usable(second);
    if (first_usable && second_usable) {
      const bool other =
          LighterLoaded(load(second), weights_[second], load(first), weights_[first]);
      return other ? second : first;
    }
    if (first_usable) return first;
    if (second_usable) return second;
    for (size_t step = 1; step < count; ++step) {
      const size_t place = (first + step) % count;
      if (usable(place)) return place;
    }
    return std::nullopt;
  }

 private:
  // A number below `limit`, each as likely (D. Lemire, "Fast Random Integer Generation in an
  // Interval", 2019, without the last correction: the error is below limit / 2^32).
  static size_t Scale(uint32_t random, size_t limit) {
    return static_cast<size_t>((uint64_t{random} * limit) >> 32);
  }

  const std::vector<uint32_t> weights_;
  const std::vector<uint32_t> sequence_;
};

}  // namespace gocomet::dataplane
