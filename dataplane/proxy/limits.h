#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/network.h"
#include "common/http/message.h"

namespace gocomet::dataplane {

// What the balancer says of itself and of those before it.
struct Forwarding {
  // Clients whose X-Forwarded-For, -Proto and -Host are passed on: other proxies. Those who listen
  // on loopback alone have no others.
  Networks trusted_proxies = Networks::Loopback();
  std::string via;  // Its name in Via lines; none where empty.
};

// What bounds a client, a worker and a request. Each is a flag of the balancer, named alike.
struct Limits {
  http::HeadLimits head;
  std::chrono::milliseconds connect_timeout{1000};
  std::chrono::milliseconds header_timeout{10'000};    // For the whole head, from its first byte.
  std::chrono::milliseconds body_timeout{30'000};      // Without any progress of a body.
  std::chrono::milliseconds response_timeout{60'000};  // From the request to the answer's head.
  std::chrono::milliseconds idle_timeout{75'000};      // Of a client's connection between requests.
  std::chrono::milliseconds drain_idle_timeout{5000};  // The same once the balancer is going.
  std::chrono::milliseconds upstream_idle_timeout{30'000};  // Of one to a worker between requests.
  std::chrono::milliseconds tunnel_timeout{3'600'000};
  // A request's body must come at this rate, in bytes a second, once body_timeout has passed; 0: at
  // any. While the worker does not read, the client is not blamed.
  uint64_t body_rate_min = 0;
  size_t connections_max = 20'000;           // Of all threads; accepting pauses there.
  uint64_t requests_per_connection_max = 0;  // 0: as many as come.
  uint32_t retries_max = 2;
};

struct ProxySettings {
  Limits limits;
  Forwarding forwarding;
};

}  // namespace gocomet::dataplane
