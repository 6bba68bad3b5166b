// docs/config.md says of each key what the table of keys says.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/config_text.h"
#include "controlplane/config/unknown_key.h"

namespace gocomet::controlplane {
namespace {

std::string Reference() {
  const auto text = ReadFile(std::string(GOCOMET_SOURCE) + "/docs/config.md");
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

// Of a table; `|` would end a cell.
std::string Row(const ConfigKey& key, const void* blank, const std::string& path) {
  const std::string value = FlowText(key, blank);
  return Cat("| `", path, "` | ", Expectation(key), " | ",
             value.empty() ? "" : Cat("`", value, "`"), " | ", key.meaning, " |\n");
}

void ExpectRows(const std::string& reference, const ConfigKey& group, const void* blank,
                const std::string& above) {
  for (const ConfigKey& key : group.group->keys) {
    const std::string path = above + key.name;
    if (key.group) {
      ExpectRows(reference, key, Enter(key, blank), path + ".");
    } else {
      EXPECT_NE(reference.find(Row(key, blank, path)), std::string::npos)
          << "docs/config.md needs this row:\n"
          << Row(key, blank, path);
    }
  }
}

TEST(ConfigReference, HasARowForEachKeyOfAServiceAndOfARoute) {
  const std::string reference = Reference();
  for (const ConfigKey& key : ConfigRoot().group->keys) {
    if (!key.entries) continue;
    const auto blank = key.entries->blank("web");
    ExpectRows(reference, *key.entries->entry, key.entries->entry->group->enter(blank.get()), "");
  }
}

TEST(ConfigReference, NamesEachKeyOfTheTopLevelAndOfTheControlPlane) {
  const std::string reference = Reference();
  for (const ConfigKey& key : ConfigRoot().group->keys) {
    if (!key.group) {
      EXPECT_THAT(reference, testing::HasSubstr(Cat("| `", key.name, "` |")));
      continue;
    }
    for (const ConfigKey& below : key.group->keys) {
      EXPECT_THAT(reference, testing::HasSubstr(Cat("| `", key.name, ".", below.name, "` |")));
    }
  }
}

// Each block of `yaml` in it.
TEST(ConfigReference, HasExamplesThatAreValidWithoutWarnings) {
  const std::string reference = Reference();
  size_t count = 0;
  for (size_t at = reference.find("```yaml\n"); at != std::string::npos;
       at = reference.find("```yaml\n", at)) {
    at += 8;
    const std::string example = reference.substr(at, reference.find("```", at) - at);
    const ParsedConfig parsed = ParseConfig(example, "example");
    for (const ConfigProblem& problem : parsed.problems) {
      ADD_FAILURE() << problem.ToString() << "\n" << example;
    }
    for (const ConfigProblem& warning : parsed.warnings) {
      ADD_FAILURE() << warning.ToString() << "\n" << example;
    }
    ++count;
  }
  EXPECT_GE(count, 3);
}

}  // namespace
}  // namespace gocomet::controlplane
