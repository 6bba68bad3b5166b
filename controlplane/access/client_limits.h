#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <absl/container/flat_hash_map.h>

#include "common/base/clock.h"
#include "controlplane/access/token_bucket.h"

namespace gocomet::controlplane {

// How much each client may ask of the control plane. A client is known under several keys (its
// connection, and its token or address), each with a limit of its own.
//
// Any thread: a lock guards the counters, since calls come on many and each takes well under a
// microsecond of it. Bounded: of clients that ask for nothing nothing is kept, and once kClientsMax
// are busy the ones that follow share a bucket.
class ClientLimits {
 public:
  explicit ClientLimits(Rate calls) : calls_(calls) {}

  // Counts a call; or says when to try again.
  std::optional<std::chrono::milliseconds> TakeCall(const std::string& key, SteadyTime now);

  // A place for one stream of the client, free again when the last copy of it is gone; null where
  // `most` are taken. Outlives the limits.
  std::shared_ptr<void> TakeStream(const std::string& key, int most);

  size_t clients() const;

  static constexpr size_t kClientsMax = 4096;

 private:
  struct Streams {
    std::mutex mutex;  // Guards the other one.
    absl::flat_hash_map<std::string, int> open;
  };

  void ForgetIdle(SteadyTime now);

  const Rate calls_;
  mutable std::mutex mutex_;  // Guards the next two.
  absl::flat_hash_map<std::string, TokenBucket> buckets_;
  SteadyTime next_sweep_{};
  const std::shared_ptr<Streams> streams_ = std::make_shared<Streams>();
};

}  // namespace gocomet::controlplane
