#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gocomet::dataplane {

// Gives each of n places its turn: over any run of k·n turns each gets k, whatever the number of
// threads that call, since one relaxed counter is all they share.
//
// A place that cannot be used has its turn and is passed over, so the law holds for those that can.
// (Giving its turns to its neighbour instead would double the neighbour's share.)
class RoundRobin {
 public:
  // `places` must not be 0; `position` is where the turns begin.
  explicit RoundRobin(size_t places, uint64_t position = 0)
      : places_(places), position_(position) {}

  // Nothing where no place is usable. `usable(place)` is asked for at most twice the places.
  template <typename Usable>
  std::optional<size_t> Next(const Usable& usable) {
    for (size_t passed = 0; passed < places_; ++passed) {
      const size_t place = Turn();
      if (usable(place)) return place;
    }
    // Other threads had turns in between, so some places may not have been seen.
    for (size_t place = 0; place < places_; ++place) {
      if (usable(place)) return place;
    }
    return std::nullopt;
  }

  // The next place, whether usable or not.
  size_t Turn() { return position_.fetch_add(1, std::memory_order_relaxed) % places_; }
  // Passes over `turns` of them.
  void Skip(uint64_t turns) { position_.fetch_add(turns, std::memory_order_relaxed); }

  size_t places() const { return places_; }
  // Where a successor over other places goes on.
  uint64_t position() const { return position_.load(std::memory_order_relaxed); }

 private:
  const size_t places_;
  alignas(64) std::atomic<uint64_t> position_;
};

}  // namespace gocomet::dataplane
