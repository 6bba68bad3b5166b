#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/balance/round_robin.h"

namespace gocomet::dataplane {

// The longest sequence that is made; weights that ask for a longer one are scaled down to it, and
// each keeps at least one place. A thousand workers whose weights go up to 100 fit unscaled.
inline constexpr size_t kSequenceMax = size_t{1} << 17;

// One round of smooth weighted round robin as nginx does it: each place as often as its weight says
// after the greatest common divisor was taken out, and spread over the round. Weights 5, 1, 1 give
// 0 0 1 0 2 0 0; equal weights give 0 1 2 …. A weight of 0 counts as 1.
std::vector<uint32_t> SmoothSequence(std::span<const uint32_t> weights);

// Gives each place its share of the turns. The sequence is computed beforehand and walked by one
// shared counter, so what holds for round robin holds here: over any run of k rounds each place
// gets exactly k times its weight, whatever the number of threads. (What nginx keeps per place
// would need a lock.)
class WeightedRoundRobin {
 public:
  // `weights` must not be empty.
  explicit WeightedRoundRobin(std::span<const uint32_t> weights, uint64_t position = 0)
      : sequence_(SmoothSequence(weights)), slots_(sequence_.size(), position) {}

  // Nothing where no place is usable. The turns of those that are not are passed over, so that the
  // others share in the proportion of their weights.
  template <typename Usable>
  std::optional<size_t> Next(const Usable& usable) {
    const auto slot = slots_.Next([&](size_t s) { return usable(sequence_[s]); });
    if (!slot) return std::nullopt;
    return sequence_[*slot];
  }

  // The next place, whether usable or not.
  size_t Turn() { return sequence_[slots_.Turn()]; }
  void Skip(uint64_t turns) { slots_.Skip(turns); }

  std::span<const uint32_t> sequence() const { return sequence_; }
  uint64_t position() const { return slots_.position(); }

 private:
  const std::vector<uint32_t> sequence_;
  RoundRobin slots_;
};

}  // namespace gocomet::dataplane
