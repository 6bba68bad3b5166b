#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "controlplane/access/token_bucket.h"

namespace gocomet::controlplane {

// Lets some of very many reports through, and counts the rest, so that whoever is denied again and
// again cannot push everything else out of the list of events. Any thread.
class SparseReports {
 public:
  explicit SparseReports(Rate rate, SteadyTime now) : bucket_(rate, now) {}

  // Nothing: not this one. Otherwise how many were left out since the last one that went through.
  std::optional<uint64_t> Take(SteadyTime now) {
    const std::lock_guard hold(mutex_);
    if (bucket_.Take(now)) {
      ++left_out_;
      return std::nullopt;
    }
    return std::exchange(left_out_, 0);
  }

 private:
  std::mutex mutex_;  // Guards everything below.
  TokenBucket bucket_;
  uint64_t left_out_ = 0;
};

}  // namespace gocomet::controlplane
