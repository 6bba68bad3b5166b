// What goes wrong before or around a command: the command line, the address, the answer.
#include <fstream>

#include <gmock/gmock.h>

#include "gocomet/v1/cluster.pb.h"
#include "gocomet/v1/workers.pb.h"
#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class FailureTest : public CtlTest {
 protected:
  int ExitCodeOf(grpc::StatusCode code) {
    fake_.Script("ClusterService/GetStatus", {Answer::Error(code, "because")});
    const Outcome run = Ctl({"status", "-o", "json"});
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, StartsWith("gocometctl: because"));
    return run.exit_code;
  }
};

TEST_F(FailureTest, NothingAnswersAtTheAddress) {
  const std::string socket = "unix:" + testing::TempDir() + "gocomet-nobody.sock";
  const Outcome run = Ctl({"status"}, {.server = socket});
  EXPECT_EQ(run.exit_code, 8);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, AllOf(StartsWith("gocometctl: no control plane answers at " + socket),
                             HasSubstr("gocomet-controlplane --config config.yaml"),
                             HasSubstr("--server ADDRESS or GOCOMET_SERVER")));
}

TEST_F(FailureTest, VersionAnswersWithoutAControlPlane) {
  const std::string socket = "unix:" + testing::TempDir() + "gocomet-nobody.sock";
  const Outcome run = Ctl({"version"}, {.server = socket});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, HasSubstr("no control plane answers at " + socket));
}

TEST_F(FailureTest, TheOptionWinsOverTheEnvironment) {
  fake_.Script("ClusterService/GetStatus", Make<v1::ClusterStatus>("version: '9.9.9'"));
  const Outcome run = Ctl({"version", "--server", fake_.address()}, {.server = "127.0.0.1:1"});
  EXPECT_THAT(run.out, HasSubstr("9.9.9 at " + fake_.address()));
}

TEST_F(FailureTest, AnAnswerThatDoesNotComeTimesOut) {
  Answer silence;
  silence.stays_open = true;
  fake_.Script("ClusterService/GetStatus", {silence});
  const Outcome run = Ctl({"status", "-o", "json", "--timeout", "500ms"});
  EXPECT_EQ(run.exit_code, 6);
  EXPECT_THAT(run.err, AllOf(HasSubstr("did not answer within 500ms"), HasSubstr("--timeout")));
}

TEST_F(FailureTest, EachStatusOfTheControlPlaneHasItsExitCode) {
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::INTERNAL), 1);
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::INVALID_ARGUMENT), 2);
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::NOT_FOUND), 3);
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::ABORTED), 4);
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::FAILED_PRECONDITION), 4);
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::UNAVAILABLE), 8);
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::PERMISSION_DENIED), 9);
  EXPECT_EQ(ExitCodeOf(grpc::StatusCode::UNAUTHENTICATED), 9);
}

TEST_F(FailureTest, AnErrorMessageHasNoPowerOverTheTerminal) {
  fake_.Script("ClusterService/GetStatus", {Answer::Error(grpc::StatusCode::INTERNAL,
                                                          "a\x1B[2J\x9B"
                                                          "b\nnext\tline")});
  EXPECT_EQ(Ctl({"status"}).err, "gocometctl: a [2J\uFFFDb\nnext\tline\n");
}

TEST_F(FailureTest, TheTokenGoesAlong) {
  fake_.Script("ClusterService/GetStatus", v1::ClusterStatus());
  Ctl({"status", "-o", "json"}, {.token = "secret"});
  const std::string path = testing::TempDir() + "gocomet-token";
  std::ofstream(path) << "from-file\n";
  Ctl({"status", "-o", "json", "--token-file", path}, {.token = "secret"});
  std::remove(path.c_str());
  EXPECT_THAT(fake_.Tokens(), ElementsAre("Bearer secret", "Bearer from-file"));
}

TEST_F(FailureTest, TheTokenNeverCrossesTheNetworkInTheClear) {
  const Outcome run = Ctl({"status"}, {.server = "example.com:7070", .token = "secret"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("would cross the network to example.com:7070 unencrypted"));
  EXPECT_THAT(run.err, testing::Not(HasSubstr("secret")));
}

TEST_F(FailureTest, ATokenIsOneLineOfVisibleCharacters) {
  const Outcome run = Ctl({"status"}, {.token = "two\nlines"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("GOCOMET_TOKEN must hold one line"));
}

struct Wrong {
  std::vector<std::string> arguments;
  std::string problem;
};

TEST_F(FailureTest, AWrongCommandLineSaysWhatIsWrongAndWhereHelpIs) {
  const Wrong all[] = {
      {{"frobnicate"}, "there is no command 'frobnicate'; see gocometctl --help"},
      {{"config", "frobnicate"}, "there is no command 'frobnicate'; see gocometctl config --help"},
      {{"get", "workers", "--frob"}, "--frob; see gocometctl get --help"},
      {{"get"}, "WHAT is required; see gocometctl get --help"},
      {{"get", "pods"}, "'pods': expected workers, balancers, services"},
      {{"get", "workers", "-o", "xml"}, "--output 'xml': expected table, wide, json, yaml or name"},
      {{"status", "--server", "foo"}, "--server: 'foo' is not an address: expected IP:PORT"},
      {{"status", "--timeout", "5"}, "--timeout: '5' is not a duration"},
      {{"status", "--timeout", "0"}, "--timeout: must be above 0"},
      {{"apply"}, "--file is required; see gocometctl apply --help"},
      {{"get", "\xFF"}, "an argument is not UTF-8 text"},
  };
  for (const Wrong& wrong : all) {
    const Outcome run = Ctl(wrong.arguments);
    EXPECT_EQ(run.exit_code, 2) << wrong.problem;
    EXPECT_EQ(run.out, "");
    EXPECT_THAT(run.err, AllOf(StartsWith("gocometctl: "), HasSubstr(wrong.problem)));
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
}

TEST_F(FailureTest, NoCommandAtAllShowsTheHelp) {
  const Outcome run = Ctl({});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, HasSubstr("Subcommands:"));
}

TEST_F(FailureTest, HelpComesInBothWays) {
  const Outcome run = Ctl({"get", "--help"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.out, HasSubstr("--watch"));
  EXPECT_EQ(Ctl({"help", "get"}).out, run.out);
  EXPECT_EQ(Ctl({"help"}).out, Ctl({"--help"}).out);
}

}  // namespace
}  // namespace gocomet::ctl
