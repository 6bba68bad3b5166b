#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/balance/consistent_hash.h"
#include "dataplane/balance/stable_hash.h"
#include "dataplane/balance/weighted_round_robin.h"
#include "dataplane/route/route.h"

namespace gocomet::dataplane {

// Which service of a route's several takes a request. Without keys the services take turns, exactly
// by their weights and whatever the number of threads. With keys a service keeps those it has while
// its weight, in proportion to the others', does not fall: a canary that grows from 5 % to 20 %
// gives nobody back. A request without a key takes a turn.
class ServiceChoice {
 public:
  // `targets` are those with a weight; not empty.
  ServiceChoice(std::span<const RouteTarget> targets, bool by_key, uint64_t position = 0);

  // A place of `targets`. Any thread; takes no lock.
  size_t Next(std::optional<uint64_t> key_hash) {
    if (!by_key_ || !key_hash) return turns_.Turn();
    // Mixed once more: the same bits choose among the workers of the service.
    return *by_key_->Next(Mix(*key_hash + 1), [](size_t) { return true; });
  }
  uint64_t position() const { return turns_.position(); }

 private:
  WeightedRoundRobin turns_;
  std::optional<ConsistentHash> by_key_;
};

}  // namespace gocomet::dataplane
