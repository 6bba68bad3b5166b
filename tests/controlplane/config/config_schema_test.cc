// The schema that editors are given, judged by a validator of another house.
#include "controlplane/config/config_schema.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string ShippedSchema() { return Cat(GOCOMET_SOURCE, "/docs/config.schema.json"); }

// What the validator says against a config; empty where it takes it.
std::string Complaints(const std::string& yaml) {
  const std::string path = testing::TempDir() + "/schema-" + std::to_string(::getpid()) + ".yaml";
  std::ofstream(path) << yaml;
  const std::string command = Cat(GOCOMET_PYTHON, " ", GOCOMET_SOURCE,
                                  "/tests/controlplane/config/validate_with_schema.py ",
                                  ShippedSchema(), " ", path, " 2>&1");
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string said;
  char piece[4096];
  while (const size_t got = std::fread(piece, 1, sizeof(piece), pipe)) said.append(piece, got);
  EXPECT_EQ(::pclose(pipe), 0) << said;
  std::filesystem::remove(path);
  return said;
}

// A config with every key that there is.
std::string WithEveryKey() {
  const auto golden = ReadFile(Cat(GOCOMET_GOLDEN_DIRECTORY, "/services-every-key.txt"));
  EXPECT_TRUE(golden.ok()) << golden.status();
  return golden->substr(0, golden->find("----------"));
}

TEST(ConfigSchema, ShippedOneSaysWhatTheKeysSay) {
  const auto shipped = ReadFile(ShippedSchema());
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  EXPECT_EQ(*shipped, ConfigSchema())
      << "write it again: build/bin/gocomet-controlplane --print-config-schema > "
         "docs/config.schema.json";
}

TEST(ConfigSchema, TakesTheShippedConfig) {
  const auto config = ReadFile(Cat(GOCOMET_SOURCE, "/config.yaml"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(Complaints(*config), IsEmpty());
}

TEST(ConfigSchema, TakesWhatTheParserTakes) {
  const ParsedConfig parsed = ParseConfig(WithEveryKey(), "config.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.problems.front().ToString();
  EXPECT_THAT(Complaints(WithEveryKey()), IsEmpty());
}

TEST(ConfigSchema, TakesEveryKeyAsTheLongFormWritesIt) {
  const ParsedConfig parsed = ParseConfig(WithEveryKey(), "config.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.problems.front().ToString();
  EXPECT_THAT(Complaints(RenderConfig(parsed.file, ConfigForm::kLong)), IsEmpty());
}

TEST(ConfigSchema, RefusesWhatIsMisspeltMistypedOrTooLarge) {
  EXPECT_THAT(Complaints("wroker: 3\n"), HasSubstr("'wroker' was unexpected"));
  EXPECT_THAT(Complaints("worker: many\n"), HasSubstr("worker: 'many' is not of type 'integer'"));
  EXPECT_THAT(Complaints("load-balancer-port: 70000\n"), HasSubstr("greater than the maximum"));
  EXPECT_THAT(Complaints("runtime: podman\n"), HasSubstr("'podman' is not one of"));
  EXPECT_THAT(Complaints("services: {web: {imgae: a}}\n"), HasSubstr("'imgae' was unexpected"));
  EXPECT_THAT(Complaints("services: {web: {health: {interval: soon}}}\n"), HasSubstr("interval"));
  EXPECT_THAT(Complaints("routes: [{service: web}]\n"), HasSubstr("'name' is a required property"));
}

}  // namespace
}  // namespace gocomet::controlplane
