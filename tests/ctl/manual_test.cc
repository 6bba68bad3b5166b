// docs/cli.md and the program name the same commands and options.
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

std::string Manual() {
  std::ifstream file(GOCOMET_CLI_MANUAL);
  EXPECT_TRUE(file) << "cannot open " << GOCOMET_CLI_MANUAL;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> AllOf(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end;
       ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

// The names under `Subcommands:`.
std::set<std::string> Commands(const std::string& help) {
  const size_t start = help.find("Subcommands:");
  return start == std::string::npos ? std::set<std::string>()
                                    : AllOf(help.substr(start), "^  ([a-z]+),? ");
}

std::string HelpOf(const std::string& command) {
  return RunProgram({}, command.empty() ? std::vector<std::string>{"--help"}
                                        : std::vector<std::string>{command, "--help"})
      .out;
}

TEST(Manual, HasAHeadingForEachCommandAndForNoOther) {
  EXPECT_EQ(AllOf(Manual(), "^### ([a-z]+)"), Commands(HelpOf("")));
}

TEST(Manual, NamesEveryOption) {
  const std::string manual = Manual();
  std::set<std::string> commands = Commands(HelpOf(""));
  commands.insert("");
  for (const std::string& command : commands) {
    for (const std::string& option : AllOf(HelpOf(command), "^  (?:-[a-z],)?(--[a-z-]+)")) {
      EXPECT_THAT(manual, testing::HasSubstr(option)) << "an option of gocometctl " << command;
    }
  }
}

TEST(Manual, NamesEachVerbOfConfigWithItsOptions) {
  for (const std::string family : {"config", "rollout", "token"}) {
    for (const std::string& verb : Commands(HelpOf(family))) {
      EXPECT_THAT(Manual(), testing::HasSubstr("`" + family + " " + verb));
      const std::string help = RunProgram({}, {family, verb, "--help"}).out;
      for (const std::string& option : AllOf(help, "^  (?:-[a-z],)?(--[a-z-]+)")) {
        EXPECT_THAT(Manual(), testing::HasSubstr(option))
            << "an option of " << family << " " << verb;
      }
    }
  }
}

TEST(Manual, NamesNoOptionThatDoesNotExist) {
  std::string help = HelpOf("") + HelpOf("config");
  for (const std::string& command : Commands(HelpOf(""))) help += HelpOf(command);
  for (const std::string family : {"config", "rollout", "token"}) {
    for (const std::string& verb : Commands(HelpOf(family))) {
      help += RunProgram({}, {family, verb, "--help"}).out;
    }
  }
  // Programs that the manual calls beside gocometctl.
  help += "--config";
  for (const std::string& option : AllOf(Manual(), "[ `(](--[a-z][a-z-]*)")) {
    EXPECT_THAT(help, testing::HasSubstr(option));
  }
}

TEST(Manual, NamesEveryExitCode) {
  for (const char* code : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "130"}) {
    EXPECT_THAT(Manual(), testing::HasSubstr(std::string("\n| ") + code + " |"));
  }
}

}  // namespace
}  // namespace gocomet::ctl
