#pragma once

#include <chrono>

namespace gocomet {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// The door to time. Pure code takes plain times as arguments; code with a life of its own takes a
// Clock, so that a test can move it by hand. Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // For durations and deadlines: never jumps.
  virtual SteadyTime Steady() const = 0;
  // For people and the database: follows the machine's clock, and may jump.
  virtual WallTime Wall() const = 0;
};

// The machine's own clocks.
const Clock& SystemClock();

}  // namespace gocomet
