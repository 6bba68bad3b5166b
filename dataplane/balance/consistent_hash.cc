#include "dataplane/balance/consistent_hash.h"

#include <algorithm>
#include <cmath>

#include "dataplane/balance/stable_hash.h"

namespace gocomet::dataplane {
namespace {

// A lot as a number between 0 and 1, neither included.
double Uniform(uint64_t lot) { return (static_cast<double>(lot >> 11) + 0.5) * 0x1.0p-53; }

// Rises with the lot; a place of twice the weight wins twice as many slots.
double Claim(uint64_t lot, uint32_t weight) {
  return -static_cast<double>(weight) / std::log(Uniform(lot));
}

}  // namespace

ConsistentHash::ConsistentHash(std::span<const uint64_t> identities,
                               std::span<const uint32_t> weights, uint64_t position)
    : identities_(identities.begin(), identities.end()),
      weights_(weights.begin(), weights.end()),
      weighted_(std::adjacent_find(weights.begin(), weights.end(), std::not_equal_to<>()) !=
                weights.end()),
      slots_(kSlots),
      without_key_(identities.size(), position) {
  for (size_t slot = 0; slot < kSlots; ++slot) {
    slots_[slot] = weighted_ ? HighestClaim(slot) : HighestLot(slot);
  }
}

uint32_t ConsistentHash::HighestLot(size_t slot) const {
  const uint64_t slot_bits = Mix(slot + 1);
  uint32_t best = 0;
  uint64_t best_lot = 0;
  for (uint32_t place = 0; place < identities_.size(); ++place) {
    const uint64_t lot = Mix(identities_[place] ^ slot_bits);
    if (lot > best_lot) {
      best_lot = lot;
      best = place;
    }
  }
  return best;
}

uint32_t ConsistentHash::HighestClaim(size_t slot) const {
  uint32_t best = 0;
  double best_claim = 0;
  for (uint32_t place = 0; place < identities_.size(); ++place) {
    const uint64_t lot = Lot(place, slot);
    // Most lose by this bound (-ln x ≥ 1 - x) already, which needs no logarithm.
    if (weights_[place] <= best_claim * (1 - Uniform(lot))) continue;
    const double claim = Claim(lot, weights_[place]);
    if (claim > best_claim) {
      best_claim = claim;
      best = place;
    }
  }
  return best;
}

uint64_t ConsistentHash::Lot(size_t place, size_t slot) const {
  return Mix(identities_[place] ^ Mix(slot + 1));
}

bool ConsistentHash::Beats(size_t place, size_t other, size_t slot) const {
  const uint64_t lot = Lot(place, slot);
  const uint64_t other_lot = Lot(other, slot);
  if (!weighted_) return lot > other_lot;
  return Claim(lot, weights_[place]) > Claim(other_lot, weights_[other]);
}

}  // namespace gocomet::dataplane
