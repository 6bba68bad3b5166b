// The histories that every run of the tests goes through, and the proof that they find faults.
// `simulation --histories 10000` runs all of them; `simulation --seed N` tells one.
#include <ostream>

#include <gtest/gtest.h>

#include "tests/controlplane/simulation/history.h"

namespace gocomet::controlplane {

static void PrintTo(const Mutant& mutant, std::ostream* out) { *out << mutant.name; }

namespace {

constexpr uint64_t kHistories = 1000;
constexpr uint64_t kHistoriesOfMutant = 50;

std::string LastOf(uint64_t seed, const Mutant& mutant) {
  constexpr size_t kLines = 60;
  const HistoryResult result = RunHistory(seed, mutant, true);
  std::string text;
  for (size_t i = result.story.size() > kLines ? result.story.size() - kLines : 0;
       i < result.story.size(); ++i) {
    text += result.story[i] + "\n";
  }
  return text;
}

TEST(Simulation, KeepsEveryLawInEveryHistory) {
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    const HistoryResult result = RunHistory(seed, Mutant{}, false);
    ASSERT_EQ(result.breach, "") << LastOf(seed, Mutant{}) << "To see all of it: simulation --seed "
                                 << seed;
  }
}

TEST(Simulation, ASeedGivesTheSameHistoryEachTime) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_EQ(RunHistory(seed, Mutant{}, true).story, RunHistory(seed, Mutant{}, true).story);
  }
}

class SimulationOfMutants : public ::testing::TestWithParam<Mutant> {};

TEST_P(SimulationOfMutants, FindsTheFault) {
  for (uint64_t seed = 1; seed <= kHistoriesOfMutant; ++seed) {
    const HistoryResult result = RunHistory(seed, GetParam(), false);
    if (result.breach.find(GetParam().breach) != std::string::npos) return;
  }
  FAIL() << "none of " << kHistoriesOfMutant << " histories has found: " << GetParam().breach;
}

INSTANTIATE_TEST_SUITE_P(, SimulationOfMutants, ::testing::ValuesIn(Mutants()),
                         [](const ::testing::TestParamInfo<Mutant>& mutant) {
                           std::string name = mutant.param.name;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace gocomet::controlplane
