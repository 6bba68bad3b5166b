#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace gocomet {

// Statuses from the first to the last, both included.
struct StatusRange {
  int first = 0;
  int last = 0;
  bool operator==(const StatusRange&) const = default;
};

// What is to be probed, and how often.
struct ProbeTarget {
  std::string name;     // The caller's; unique among the targets.
  std::string address;  // `IP:PORT` or `unix:/PATH`
  std::string path;     // Empty: connecting is enough.
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds timeout{2000};
  std::vector<StatusRange> expected{{200, 399}};  // The statuses of an answer that passes.
  std::string method = "GET";                     // Or `HEAD`.
  bool operator==(const ProbeTarget&) const = default;
};

struct ProbeResult {
  WallTime time{};
  std::string target;  // For people: `METHOD ADDRESS/PATH`.
  bool passed = false;
  bool timed_out = false;  // No answer in time, or no room in its queue of connections.
  bool refused = false;    // Nobody takes connections there.
  std::string result;      // The answer's status, or what failed.
  std::chrono::microseconds duration{0};
};

// Asks workers whether they are well: one request on a connection of its own, answered as expected.
// All targets are probed beside each other on one event loop, so a slow one delays no other; many
// are spread over the interval, for which the second probe comes up to half an interval early. A
// probe that this machine could not make (no descriptor or port left) says nothing of the worker
// and gives no result.
class Prober {
 public:
  // Called on the prober's thread; must not block.
  using Result = std::function<void(const std::string& name, ProbeResult result)>;

  explicit Prober(Result result);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Any thread. Replaces the targets. One that is new is probed at once; one that changed goes on
  // with its new interval; a probe of one that is gone gives no result.
  void SetTargets(std::vector<ProbeTarget> targets);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace gocomet
