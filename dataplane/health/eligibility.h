#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/clock.h"

namespace gocomet::dataplane {

// How one endpoint that is to take requests stands.
struct Standing {
  bool healthy = true;
  bool takes_connections = true;
  SteadyTime ejected_until{};
};

// The places of the endpoints to route to, ascending. A judgement must not cause the outage:
//  - At most half of all are kept out by ejection; of more, those come back whose time ends first.
//  - Where fewer than `panic_percent` of all would be left, each that takes connections is used,
//    whatever probes and ejections say. (0: never.)
//  - Where nobody would be left, healthy ones are used though they are ejected.
// Never one that takes no connections. Pure.
std::vector<size_t> ChooseEligible(std::span<const Standing> all, uint32_t panic_percent,
                                   SteadyTime now);

// Whether one more may be ejected. Pure.
bool MayEjectOneMore(std::span<const Standing> all, SteadyTime now);

}  // namespace gocomet::dataplane
