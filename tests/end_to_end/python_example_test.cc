// docs/examples, as its reader runs it: Debian's Python against a real control plane.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/system.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class PythonExample : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto made = RunCommand({Cat(GOCOMET_SOURCE, "/docs/examples/python-stubs.sh"), Stubs()});
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(Stubs()); }

  static std::string Stubs() { return Cat("/tmp/gocomet-python-stubs-", ::getpid()); }

  static CommandResult Run(const System& system, const std::string& config) {
    return RunCommand({"/usr/bin/env", Cat("PYTHONPATH=", Stubs()), "PYTHONDONTWRITEBYTECODE=1",
                       GOCOMET_PYTHON, Cat(GOCOMET_SOURCE, "/docs/examples/apply_and_watch.py"),
                       config, "--server", system.grpc_address()},
                      seconds(60));
  }
};

TEST_F(PythonExample, AppliesAConfigWatchesWorkersAndPrintsStatistics) {
  System system("process");
  system.keys["worker"] = "2";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  ASSERT_TRUE(HttpBurst(system.balancer_ports(), "/api/v1/hello", 40, seconds(20)).ok());
  ASSERT_TRUE(WaitUntil([&] {
    const auto statistics = system.Statistics();
    return statistics && statistics->total().successful() == 40;
  })) << system.output();

  system.keys["worker"] = "3";
  system.WriteConfig();
  const CommandResult run = Run(system, system.config_file());

  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(
      run.output,
      AllOf(HasSubstr("revision 2 is new\n"), ContainsRegex("worker-2 [0-9a-f]{12} READY\n"),
            HasSubstr("3 of 3 workers are ready\n"), ContainsRegex("worker-0 +20 +0 +[0-9.]+\n"),
            ContainsRegex("worker-1 +20 +0 +[0-9.]+\n"), ContainsRegex("all +40 +0 +[0-9.]+\n")));

  const CommandResult again = Run(system, system.config_file());
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("revision 2 says the same already\n"));
}

TEST_F(PythonExample, NamesTheKeysAtFaultAndFailsWhereTheConfigIsNotValid) {
  System system("process");
  system.keys["worker"] = "1";
  ASSERT_TRUE(system.Start().ok()) << system.output();
  const std::string config = system.directory() + "/bad.yaml";
  std::ofstream(config) << "wokrer: 3\nfailure: 101\n";

  const CommandResult run = Run(system, config);

  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.output, AllOf(HasSubstr("error: INVALID_ARGUMENT: "), HasSubstr("at wokrer: "),
                                HasSubstr("bad.yaml:1:1"), HasSubstr("at failure: "),
                                HasSubstr("bad.yaml:2:")));
  EXPECT_EQ(system.ReadyWorkers(), 1U);
}

TEST_F(PythonExample, SaysSoWhereNoControlPlaneAnswers) {
  const System never_started("process");
  const std::string config = never_started.config_file();
  never_started.WriteConfig();

  const CommandResult run = Run(never_started, config);

  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.output, HasSubstr("error: UNAVAILABLE: "));
}

}  // namespace
}  // namespace gocomet::testing
