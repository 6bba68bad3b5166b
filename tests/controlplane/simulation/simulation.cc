// Runs histories of the control plane, or one of them with its story.
//
//     simulation [--histories N] [--first SEED] [--mutant NAME]
//     simulation --seed SEED [--mutant NAME]
//
// Exit status: 0 every law held in every history; 1 one was broken, whose seed and last steps are
// printed; 2 the command line. With --mutant the control plane has a fault built in, which should
// be found.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/controlplane/simulation/history.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kLastSteps = 80;

struct Arguments {
  uint64_t first = 1;
  uint64_t histories = 10'000;
  bool one = false;
  Mutant mutant;
};

bool Read(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    char* end = nullptr;
    const uint64_t number = std::strtoull(value.c_str(), &end, 10);
    const bool is_number = *end == '\0' && !value.empty();
    if (name == "--mutant") {
      for (const Mutant& mutant : Mutants()) {
        if (mutant.name == value) arguments.mutant = mutant;
      }
      if (arguments.mutant.name.empty()) return false;
    } else if (!is_number) {
      return false;
    } else if (name == "--histories") {
      arguments.histories = number;
    } else if (name == "--first") {
      arguments.first = number;
    } else if (name == "--seed") {
      arguments.first = number;
      arguments.histories = 1;
      arguments.one = true;
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

void PrintStory(const HistoryResult& result, size_t last) {
  const size_t skipped = result.story.size() > last ? result.story.size() - last : 0;
  if (skipped > 0) std::printf("… %zu earlier lines; --seed shows them\n", skipped);
  for (size_t i = skipped; i < result.story.size(); ++i)
    std::printf("%s\n", result.story[i].c_str());
}

int Run(const Arguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  HistoryResult sum;
  for (uint64_t seed = arguments.first; seed < arguments.first + arguments.histories; ++seed) {
    HistoryResult result = RunHistory(seed, arguments.mutant, arguments.one);
    sum.steps += result.steps;
    sum.lives += result.lives;
    sum.rollouts += result.rollouts;
    if (arguments.one) PrintStory(result, result.story.size());
    if (result.breach.empty()) continue;
    if (!arguments.one) PrintStory(RunHistory(seed, arguments.mutant, true), kLastSteps);
    std::printf("seed %llu: %s\nTo see it again: simulation --seed %llu%s%s\n",
                static_cast<unsigned long long>(seed), result.breach.c_str(),
                static_cast<unsigned long long>(seed),
                arguments.mutant.name.empty() ? "" : " --mutant ", arguments.mutant.name.c_str());
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf(
      "%llu histories in %.1f s: every law held. %u turns, %u lives of the control plane, "
      "%u steps of rollouts.\n",
      static_cast<unsigned long long>(arguments.histories), took.count(), sum.steps, sum.lives,
      sum.rollouts);
  return 0;
}

}  // namespace
}  // namespace gocomet::controlplane

int main(int argc, char** argv) {
  gocomet::controlplane::Arguments arguments;
  if (!gocomet::controlplane::Read(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: simulation [--histories N] [--first SEED] [--seed SEED] [--mutant NAME]\n"
                 "mutants:");
    for (const auto& mutant : gocomet::controlplane::Mutants()) {
      std::fprintf(stderr, " %s", mutant.name.c_str());
    }
    std::fprintf(stderr, "\n");
    return 2;
  }
  return gocomet::controlplane::Run(arguments);
}
