#pragma once

#include <atomic>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "common/base/text.h"
#include "common/counters/histogram.h"

// What a balancer counts, as its file holds it (CounterFile). All of it only grows.
//
// Kind 4 is the data plane's own: Latencies.
//
// Relaxed: each is right by itself, and no decision hangs on two of them together.
namespace gocomet {

// Of one incarnation of a worker.
struct EndpointCounters {
  static constexpr uint32_t kKind = 1;
  static std::string NameOf(std::string_view worker_id, uint64_t incarnation) {
    return Cat(incarnation, " ", worker_id);
  }
  struct Identity {
    std::string worker_id;
    uint64_t incarnation = 0;
  };
  // Of a record of that name; none where it is no such name.
  static std::optional<Identity> IdentityIn(std::string_view name) {
    Identity identity;
    const auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), identity.incarnation);
    if (error != std::errc() || end == name.data() + name.size() || *end != ' ') return {};
    identity.worker_id = name.substr(static_cast<size_t>(end - name.data()) + 1);
    return identity;
  }

  std::atomic<uint64_t> answered{0};  // Answers whose head came.
  std::atomic<uint64_t> by_status_class[5] = {};
  std::atomic<uint64_t> connect_errors{0};
  std::atomic<uint64_t> resets{0};
  std::atomic<uint64_t> timeouts{0};
  std::atomic<uint64_t> retried{0};
  std::atomic<uint64_t> bytes_to_worker{0};
  std::atomic<uint64_t> bytes_from_worker{0};
};

// Of a route, by its name.
struct RouteCounters {
  static constexpr uint32_t kKind = 2;

  std::atomic<uint64_t> requests{0};  // That it took.
};

// Of one thread, by its number from 0.
struct ShardCounters {
  static constexpr uint32_t kKind = 3;

  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> unrouted{0};            // Requests that no route took.
  std::atomic<uint64_t> own_answers[600] = {};  // By status.
};

// Of one incarnation of a worker, by one thread: from when the request began to arrive until its
// answer had left, of those that were answered whole.
struct EndpointDurations {
  static constexpr uint32_t kKind = 5;
  static std::string NameOf(size_t shard, std::string_view worker_id, uint64_t incarnation) {
    return Cat(shard, " ", EndpointCounters::NameOf(worker_id, incarnation));
  }

  Histogram total;
};

}  // namespace gocomet
