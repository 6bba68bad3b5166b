#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "controlplane/config/config_text.h"

// Each file in golden/ is a config, a line of dashes, and what must come of it: the problems, or
// the warnings and the rendered config. GOCOMET_UPDATE_GOLDEN=1 writes the second part anew; read
// the difference before you commit it.
namespace gocomet::controlplane {
namespace {

constexpr std::string_view kLine = "----------\n";

std::string Outcome(const std::string& config) {
  const ParsedConfig parsed = ParseConfig(config, "config.yaml");
  std::string text;
  for (const ConfigProblem& problem : parsed.problems) text += problem.ToString() + "\n";
  for (const ConfigProblem& warning : parsed.warnings)
    text += "warning: " + warning.ToString() + "\n";
  return parsed.ok() ? text + RenderConfig(parsed.file) : text;
}

std::vector<std::string> GoldenFiles() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(GOCOMET_GOLDEN_DIRECTORY)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ConfigGolden : public testing::TestWithParam<std::string> {};

TEST_P(ConfigGolden, GivesWhatTheFileSays) {
  const std::string path = std::string(GOCOMET_GOLDEN_DIRECTORY) + "/" + GetParam() + ".txt";
  const auto content = ReadFile(path);
  ASSERT_TRUE(content.ok()) << content.status();
  const size_t line = content->find(kLine);
  ASSERT_NE(line, std::string::npos) << path << " has no line of dashes";
  const std::string config = content->substr(0, line);
  const std::string outcome = Outcome(config);
  if (std::getenv("GOCOMET_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(WriteFileAtomically(path, config + std::string(kLine) + outcome, 0644).ok());
  }
  EXPECT_EQ(outcome, content->substr(line + kLine.size())) << "of\n" << config;
}

INSTANTIATE_TEST_SUITE_P(Files, ConfigGolden, testing::ValuesIn(GoldenFiles()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace gocomet::controlplane
