#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/balance/weighted_round_robin.h"

namespace gocomet::dataplane {

// Whether `load` on a place of `weight` is less, in proportion, than `other_load` on one of
// `other_weight`.
inline bool LighterLoaded(uint64_t load, uint64_t weight, uint64_t other_load,
                          uint64_t other_weight) {
  return load * other_weight < other_load * weight;
}

// The place with the fewest requests in flight for its weight; among equal ones in turn. It looks
// at every place until it finds one without any, so its cost grows with their number. Threads that
// choose at the same moment see the same numbers, and may choose the same place.
class LeastRequests {
 public:
  // `weights` must not be empty.
  explicit LeastRequests(std::span<const uint32_t> weights, uint64_t position = 0)
      : weights_(weights.begin(), weights.end()),
        turns_(weights, position),
        equal_(turns_.sequence().size() == weights.size()) {}

  // Nothing where no place is usable. `load(place)` is its number of requests in flight.
  template <typename Load, typename Usable>
  std::optional<size_t> Next(const Load& load, const Usable& usable) {
    const size_t count = weights_.size();
    const size_t start = turns_.Turn();
    std::optional<size_t> best;
    uint64_t best_load = 0;
    size_t steps = 0;  // From the start to the best.
    size_t place = start;
    for (size_t step = 0; step < count; ++step, place = place + 1 == count ? 0 : place + 1) {
      const uint64_t here = load(place);
      if (best && !LighterLoaded(here, weights_[place], best_load, weights_[*best])) continue;
      if (!usable(place)) continue;
      best = place;
      best_load = here;
      steps = step;
      if (here == 0) break;
    }
    // The next turn is that of the place after the chosen one; else a busy place would give each of
    // its turns to its neighbour.
    if (equal_ && steps > 0) turns_.Skip(steps);
    return best;
  }

  uint64_t position() const { return turns_.position(); }

 private:
  const std::vector<uint32_t> weights_;
  WeightedRoundRobin turns_;
  const bool equal_;
};

}  // namespace gocomet::dataplane
