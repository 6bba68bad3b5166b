#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/balance/round_robin.h"
#include "dataplane/proxy/endpoint.h"

namespace gocomet::dataplane {

// What every thread routes by: immutable, published whole, replaced whole.
struct RoutingTable {
  uint64_t number = 0;                    // Ascending within this process.
  std::vector<EndpointPointer> eligible;  // In ordinal order; draining ones are not here.
  std::shared_ptr<RoundRobin> turns;      // Goes on from table to table.
};

// The endpoint whose turn it is, but none of `tried`, and none that refuses connections while
// another one does not. Null where there is none.
EndpointPointer Pick(const RoutingTable& table, std::span<const EndpointPointer> tried);

}  // namespace gocomet::dataplane
