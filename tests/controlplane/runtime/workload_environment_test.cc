#include "controlplane/runtime/workload_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

const char* OwnVariable(const char* name) {
  return std::string_view(name) == "HOME" ? "/home/me" : nullptr;
}

std::map<std::string, std::string> Parsed(std::string_view text) {
  const auto variables = ParseEnvironmentFile(text, "web.env", OwnVariable);
  EXPECT_TRUE(variables.ok()) << variables.status();
  return variables.value_or(std::map<std::string, std::string>{});
}

TEST(EnvironmentFile, HoldsNamesAndValues) {
  EXPECT_THAT(Parsed("A=1\nB=two words \nC=\"quoted\"\nD=a=b#c\nE=\n"),
              ElementsAre(Pair("A", "1"), Pair("B", "two words "), Pair("C", "\"quoted\""),
                          Pair("D", "a=b#c"), Pair("E", "")));
}

TEST(EnvironmentFile, MayHoldBlankLinesAndComments) {
  EXPECT_THAT(Parsed("# a comment\n\n   \n  A=1\n\t# another\n"), ElementsAre(Pair("A", "1")));
}

TEST(EnvironmentFile, MayComeFromAnotherSystem) {
  EXPECT_THAT(Parsed("\xef\xbb\xbf"
                     "A=1\r\nB=2\r\n"),
              ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST(EnvironmentFile, TakesOurOwnValueForANameAlone) {
  EXPECT_THAT(Parsed("HOME\nNOBODY_HAS_THIS\n"), ElementsAre(Pair("HOME", "/home/me")));
}

TEST(EnvironmentFile, ALaterLineReplacesAnEarlierOne) {
  EXPECT_THAT(Parsed("A=1\nA=2"), ElementsAre(Pair("A", "2")));
}

TEST(EnvironmentFile, AFaultIsNamedByFileAndLineWithoutItsValue) {
  for (const char* text : {"A=1\n=secret\n", "A=1\nB C=secret\n", "A=1\nB\tC=secret"}) {
    const auto status = ParseEnvironmentFile(text, "web.env", OwnVariable).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.ToString(), AllOf(HasSubstr("web.env:2"), Not(HasSubstr("secret")))) << text;
  }
  EXPECT_FALSE(ParseEnvironmentFile(std::string_view("A=\0", 3), "web.env", OwnVariable).ok());
}

TEST(WorkloadEnvironment, OwnVariablesGoBeforeThoseOfFilesAndLaterFilesBeforeEarlier) {
  const TemporaryDirectory directory;
  directory.Write("one.env", "A=1\nB=1\nC=1\n");
  const std::string second = directory.Write("two.env", "B=2\nC=2\n");
  Workload workload;
  workload.environment_files = {"one.env", second};
  workload.environment = {{"C", "3"}};
  const auto variables = ReadEnvironment(workload, directory.path());
  ASSERT_TRUE(variables.ok()) << variables.status();
  EXPECT_THAT(*variables, ElementsAre(Pair("A", "1"), Pair("B", "2"), Pair("C", "3")));
}

TEST(WorkloadEnvironment, AMissingFileIsNamed) {
  Workload workload;
  workload.environment_files = {"missing.env"};
  const absl::Status status = ReadEnvironment(workload, "/nonexistent").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.ToString(), HasSubstr("/nonexistent/missing.env"));
}

}  // namespace
}  // namespace gocomet::controlplane
