// Replays what the fuzzers kept, without them.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "tests/fuzz/laws.h"

namespace gocomet::fuzz {
namespace {

struct Target {
  const char* name;
  std::string (*broken)(std::string_view input);
};

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, BreaksNoLaw) {
  const std::filesystem::path directory = std::filesystem::path(GOCOMET_CORPUS) / GetParam().name;
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(GetParam().broken(input), "") << entry.path().filename();
    ++files;
  }
  EXPECT_GT(files, 0u) << "no corpus at " << directory;
}

INSTANTIATE_TEST_SUITE_P(Of, Corpus,
                         testing::Values(Target{"request_head", BrokenByRequestHead},
                                         Target{"response_head", BrokenByResponseHead},
                                         Target{"chunked_body", BrokenByChunkedBody},
                                         Target{"http_parser", BrokenAgainstHttpParser}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace gocomet::fuzz
