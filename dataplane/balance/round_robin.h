#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gocomet::dataplane {

// Gives each of n places its turn: over any run of k·n calls each gets k, whatever the number of
// threads that call, since one counter is all they share.
class RoundRobin {
 public:
  // The next place, below `count`, which must not be 0.
  size_t Next(size_t count) { return cursor_.fetch_add(1, std::memory_order_relaxed) % count; }

 private:
  alignas(64) std::atomic<uint64_t> cursor_{0};
};

}  // namespace gocomet::dataplane
