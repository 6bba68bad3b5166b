#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/process.h"

// What a balancer tells its operator, by files and signals.
namespace gocomet::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ObservedBalancer : public ::testing::Test {
 protected:
  ObservedBalancer() : reservation_(ReservePorts()), base_(FirstOf(reservation_)) {
    char name[] = "/tmp/gocomet-observed-XXXXXX";
    directory_ = ::mkdtemp(name);
    const auto worker_port = static_cast<uint16_t>(base_ + 1);
    pids_.push_back(Spawn({Program("gocomet-worker"), "--bind", "127.0.0.1", "--port",
                           std::to_string(worker_port), "--avg-delay", "2", "--failure", "0"},
                          output_file(), ""));
    EXPECT_TRUE(WaitUntil([&] { return HttpGet(worker_port, "/api/v1/hello").ok(); }));
  }
  ~ObservedBalancer() override {
    for (const int pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    std::filesystem::remove_all(directory_);
  }

  std::string PathOf(const std::string& name) const { return Cat(directory_, "/", name); }
  std::string output_file() const { return PathOf("output"); }
  std::string output() const { return ReadFile(output_file()).value_or(""); }

  int StartBalancer(const std::vector<std::string>& more) {
    std::vector<std::string> command = {Program("gocomet-balancer"), "--listen",
                                        Cat("127.0.0.1:", base_), "--worker",
                                        Cat("127.0.0.1:", base_ + 1)};
    command.insert(command.end(), more.begin(), more.end());
    pids_.push_back(Spawn(command, output_file(), ""));
    EXPECT_TRUE(WaitUntil([this] { return HttpGet(base_, "/started").ok(); })) << output();
    return pids_.back();
  }

  // The lines of JSON in a file that are whole.
  std::vector<json> LinesOf(const std::string& name) const {
    std::vector<json> lines;
    std::istringstream in(ReadFile(PathOf(name)).value_or(""));
    for (std::string line; std::getline(in, line) && !in.eof();) {
      if (line.starts_with('{')) lines.push_back(json::parse(line));
    }
    return lines;
  }

  UniqueFd reservation_;
  uint16_t base_;
  std::string directory_;
  std::vector<int> pids_;
};

TEST_F(ObservedBalancer, LogsRequestsAndGoesOnInANewFileAfterSighup) {
  const int balancer = StartBalancer({"--access-log", PathOf("access")});
  ASSERT_TRUE(HttpGet(base_, "/api/v1/hello?secret=1").ok());
  ASSERT_TRUE(WaitUntil([this] { return LinesOf("access").size() == 2; }));
  const json line = LinesOf("access")[1];
  EXPECT_EQ(line["target"], "/api/v1/hello");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["worker"], Cat("127.0.0.1:", base_ + 1));

  std::filesystem::rename(PathOf("access"), PathOf("access.1"));
  ::kill(balancer, SIGHUP);
  ASSERT_TRUE(WaitUntil([this] { return std::filesystem::exists(PathOf("access")); }));
  ASSERT_TRUE(HttpGet(base_, "/new").ok());
  ASSERT_TRUE(WaitUntil([this] { return LinesOf("access").size() == 1; }));
  EXPECT_EQ(LinesOf("access")[0]["target"], "/new");
  EXPECT_EQ(LinesOf("access.1").size(), 2u);
}

TEST_F(ObservedBalancer, LogsToItsStandardOutputWhereAskedTo) {
  StartBalancer({"--access-log", "-"});
  ASSERT_TRUE(WaitUntil([this] { return LinesOf("output").size() == 1; })) << output();
  EXPECT_EQ(LinesOf("output")[0]["target"], "/started");
}

TEST_F(ObservedBalancer, TellsWhatItCountedAfterSigusr1) {
  const int balancer = StartBalancer({});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(HttpGet(base_, "/api/v1/hello").ok());
  // The last answer may have come before it is counted; then asking again tells of it.
  size_t asked = 0;
  ASSERT_TRUE(WaitUntil([&] {
    ::kill(balancer, SIGUSR1);
    ++asked;
    return WaitUntil([&] { return LinesOf("output").size() == asked; }) &&
           LinesOf("output").back()["latency_us"]["total"]["count"] == 21;
  })) << output();
  const json line = LinesOf("output").back();
  EXPECT_EQ(line["requests"], 21);
  EXPECT_GE(line["latency_us"]["worker"]["p90"], 1000) << "its delay is 1 to 3 ms";
  EXPECT_LT(line["latency_us"]["own"]["p50"], line["latency_us"]["worker"]["p90"]);
  EXPECT_FALSE(line.contains("access_log"));
}

TEST_F(ObservedBalancer, DoesNotStartWhereItCouldNotLog) {
  const int balancer =
      Spawn({Program("gocomet-balancer"), "--listen", Cat("127.0.0.1:", base_), "--worker",
             Cat("127.0.0.1:", base_ + 1), "--access-log", PathOf("none/access")},
            output_file(), "");
  int status = 0;
  ASSERT_EQ(::waitpid(balancer, &status, 0), balancer);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_THAT(output(), HasSubstr(Cat("--access-log: cannot open ", PathOf("none/access"))));
}

}  // namespace
}  // namespace gocomet::testing
