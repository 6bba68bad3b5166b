#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/balance/round_robin.h"

namespace gocomet::dataplane {

// The same place for the same key, in every process, as long as the place is there.
//
// Rendezvous hashing (D. Thaler, C. Ravishankar, "Using Name-Based Mappings to Increase Hit Rates",
// 1998; weighted as by C. Schindelhauer and G. Schomaker, 2005): every place draws a lot for a key,
// the highest wins. So a place that goes leaves its own keys alone to others, in proportion to
// their weights, and one that comes takes only what it wins. The lots are drawn beforehand for each
// of kSlots slots of keys; a choice is one look into a table.
//
// The spread of the places' shares is that of chance: with n places a share differs from its mean
// by √(n / kSlots), as a standard deviation: 0.7 % with 3, 4 % with 100, 12 % with 1000.
class ConsistentHash {
 public:
  static constexpr size_t kSlots = size_t{1} << 16;

  // `identities`: a number for each place that stands for it and nothing else, not empty.
  ConsistentHash(std::span<const uint64_t> identities, std::span<const uint32_t> weights,
                 uint64_t position = 0);

  // The place of the key with this hash. Where it is not usable: the one that would have the key if
  // all that are not usable were gone. Without a key the places take turns. Nothing where no place
  // is usable.
  template <typename Usable>
  std::optional<size_t> Next(std::optional<uint64_t> key_hash, const Usable& usable) {
    if (!key_hash) return without_key_.Next(usable);
    const size_t slot = *key_hash >> (64 - kSlotBits);
    if (usable(slots_[slot])) return slots_[slot];
    std::optional<size_t> best;
    for (size_t place = 0; place < identities_.size(); ++place) {
      if (usable(place) && (!best || Beats(place, *best, slot))) best = place;
    }
    return best;
  }

  // The place of each slot.
  std::span<const uint32_t> slots() const { return slots_; }
  uint64_t position() const { return without_key_.position(); }

 private:
  static constexpr int kSlotBits = 16;

  uint64_t Lot(size_t place, size_t slot) const;
  uint32_t HighestLot(size_t slot) const;
  uint32_t HighestClaim(size_t slot) const;
  // Whether `place` has the better claim to the slot; the lots' order, stretched by the weights.
  bool Beats(size_t place, size_t other, size_t slot) const;

  const std::vector<uint64_t> identities_;
  const std::vector<uint32_t> weights_;
  bool weighted_ = false;
  std::vector<uint32_t> slots_;
  RoundRobin without_key_;
};

}  // namespace gocomet::dataplane
