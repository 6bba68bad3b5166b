#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/controlplane/simulation/mutants.h"

namespace gocomet::controlplane {

struct HistoryResult {
  std::string breach;             // Empty: every law held, and it converged.
  std::deque<std::string> story;  // Where it was asked for.
  uint32_t steps = 0;             // Turns of the control plane.
  uint32_t lives = 0;             // Of the control plane.
  uint32_t rollouts = 0;
};

// One history from its seed: trouble for a while, then none until everything is as it is wanted.
// The same seed gives the same history.
HistoryResult RunHistory(uint64_t seed, const Mutant& mutant, bool tell);

}  // namespace gocomet::controlplane
