#include "dataplane/proxy/routing_table.h"

#include <algorithm>

namespace gocomet::dataplane {

EndpointPointer Pick(const RoutingTable& table, std::span<const EndpointPointer> tried) {
  const size_t count = table.eligible.size();
  if (count == 0) return nullptr;
  const size_t turn = table.turns->Next(count);
  EndpointPointer last_resort;
  for (size_t step = 0; step < count; ++step) {
    const EndpointPointer& endpoint = table.eligible[(turn + step) % count];
    if (std::find(tried.begin(), tried.end(), endpoint) != tried.end()) continue;
    if (!endpoint->refuses.load(std::memory_order_relaxed)) return endpoint;
    if (!last_resort) last_resort = endpoint;
  }
  return last_resort;
}

}  // namespace gocomet::dataplane
