#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/http/message.h"

namespace gocomet::dataplane {

// What bounds a client, a worker and a request. Each is a flag of the balancer, named alike.
struct Limits {
  http::HeadLimits head;
  std::chrono::milliseconds connect_timeout{1000};
  std::chrono::milliseconds header_timeout{10'000};    // For the whole head, from its first byte.
  std::chrono::milliseconds body_timeout{30'000};      // Without any progress of a body.
  std::chrono::milliseconds response_timeout{60'000};  // From the request to the answer's head.
  std::chrono::milliseconds idle_timeout{75'000};      // Of a client's connection between requests.
  std::chrono::milliseconds tunnel_timeout{3'600'000};
  size_t connections_max = 20'000;  // Per thread; accepting pauses there.
  uint32_t retries_max = 2;
};

}  // namespace gocomet::dataplane
