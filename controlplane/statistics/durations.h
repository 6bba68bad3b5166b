#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>

#include "common/base/clock.h"
#include "common/counters/sparse_durations.h"

namespace gocomet::controlplane {

// How long the answers of each worker took, as balancers saw it: since their counters began, and
// over the last minute. Pure: times are arguments. Confined to one thread.
//
// Balancers keep them and tell them whole; so after a restart of the control plane they are there
// again, but for those of workers that were gone before.
class Durations {
 public:
  static constexpr std::chrono::seconds kRecent{60};

  // Who saw it, and whom: each with its incarnation.
  struct Source {
    std::string balancer;
    uint64_t balancer_incarnation = 0;
    std::string worker_id;
    uint64_t worker_incarnation = 0;
    auto operator<=>(const Source&) const = default;
  };

  bool Knows(const Source& source) const { return sources_.contains(source); }
  // Takes what a source tells first: nobody knows when that happened.
  void Introduce(const Source& source, const std::string& service, const SparseDurations& first);
  // Takes the newest of a source that is known. False where it is no later state of it.
  bool Apply(const Source& source, const SparseDurations& now, SteadyTime time);

  // Of all balancers and incarnations; null where there was nothing yet.
  const SparseDurations* OfWorker(const std::string& worker_id) const;
  // Of a service, what was added within kRecent before `time`.
  SparseDurations Recent(const std::string& service, SteadyTime time) const;

 private:
  struct Step {
    SteadyTime begin;
    SparseDurations durations;
  };

  struct Told {
    std::string service;
    SparseDurations newest;
  };

  std::map<Source, Told> sources_;
  std::unordered_map<std::string, SparseDurations> of_worker_;
  std::unordered_map<std::string, std::deque<Step>> recent_;  // By service; a step is a second.
};

}  // namespace gocomet::controlplane
