#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/address.h"
#include "common/counters/balancer_counters.h"

namespace gocomet::dataplane {

// A worker as one balancer knows it: an identity (id and incarnation), an address, and what was
// counted. Shared by all threads and by all routing tables that name it; the counters outlive every
// change of the table.
struct Endpoint {
  Endpoint(std::string id, uint64_t number, Address where,
           std::shared_ptr<EndpointCounters> counted = std::make_shared<EndpointCounters>())
      : worker_id(std::move(id)),
        incarnation(number),
        address(where),
        counters(std::move(counted)) {}

  const std::string worker_id;
  const uint64_t incarnation;
  const Address address;
  const std::shared_ptr<EndpointCounters> counters;
  // By the number of the thread that records; before anybody else sees the endpoint. Threads that
  // have none there record nothing.
  std::vector<std::shared_ptr<EndpointDurations>> durations;

  std::atomic<uint64_t> in_flight{0};  // From the choice until the answer is whole.

  // Set by whoever was refused, until a probe connects: others then need not find out too.
  std::atomic<bool> refuses{false};
  // Requests whose connection could not be made, or broke, since one was answered whole.
  std::atomic<uint32_t> failures_in_row{0};
  // After as many of them the director is told; 0: never.
  std::atomic<uint32_t> failures_to_tell{0};
  // Somebody waits to hear that nothing is in flight any more.
  std::atomic<bool> draining{false};
};

using EndpointPointer = std::shared_ptr<Endpoint>;

inline void Count(std::atomic<uint64_t>& counter, uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace gocomet::dataplane
