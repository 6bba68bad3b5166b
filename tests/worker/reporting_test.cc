// The real executable against a ReportService in this process.
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "tests/worker/fake_control_plane.h"
#include "tests/worker/http_connection.h"
#include "tests/worker/worker_process.h"

namespace gocomet::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

class WorkerReporting : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(WriteFileAtomically(token_file_, "s3cret\n", 0600).ok()); }

  std::vector<std::string> Flags(const std::string& failure = "0") const {
    return {"--id",
            "0123456789ab",
            "--instance",
            "cafecafecafe",
            "--control-plane",
            "unix:" + socket_,
            "--token-file",
            token_file_,
            "--avg-delay",
            "0",
            "--failure",
            failure};
  }

  static void SendHellos(const WorkerProcess& worker, int count) {
    HttpConnection connection(worker.address());
    for (int i = 0; i < count; ++i) {
      connection.Send("GET", "/api/v1/hello");
      ASSERT_NE(connection.Receive().status, 0);
    }
  }

  // True once /worker/stats comes fresh from the control plane.
  static bool IsFresh(const WorkerProcess& worker) {
    return Fetch(worker.address(), "/worker/stats").headers["X-GoComet-Stats-Age-Ms"] == "0";
  }

  const TemporaryDirectory directory_;
  const std::string socket_ = directory_.path() + "/report.sock";
  const std::string token_file_ = directory_.path() + "/token";
  FakeControlPlane::Memory memory_;
};

TEST_F(WorkerReporting, SaysHelloWithItsTokenFirst) {
  const FakeControlPlane control_plane(socket_, memory_);
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(Eventually([&] { return HelloCount(memory_) == 1; }));
  const std::lock_guard hold(memory_.mutex);
  EXPECT_EQ(memory_.hellos[0].instance(), "cafecafecafe");
  EXPECT_EQ(memory_.hellos[0].worker_id(), "0123456789ab");
  EXPECT_NE(memory_.hellos[0].incarnation(), 0U);
  EXPECT_EQ(memory_.hellos[0].pid(), worker.pid());
  EXPECT_NE(memory_.hellos[0].version(), "");
  EXPECT_THAT(memory_.tokens, Each("Bearer s3cret"));
}

TEST_F(WorkerReporting, ReportsExactCountsWithinASecondOrSo) {
  const FakeControlPlane control_plane(socket_, memory_);
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(worker.started());
  SendHellos(worker, 100);
  EXPECT_TRUE(Eventually([&] { return NewestCounters(memory_).successful() == 100; }));
}

TEST_F(WorkerReporting, FailuresCountWithTheirDurations) {
  const FakeControlPlane control_plane(socket_, memory_);
  WorkerProcess worker(Flags("100"));
  ASSERT_TRUE(worker.started());
  SendHellos(worker, 1'000);
  worker.Signal(SIGTERM);
  ASSERT_EQ(worker.ExitStatus(), 0);
  EXPECT_EQ(NewestCounters(memory_).failed(), 1'000U);
  EXPECT_EQ(NewestCounters(memory_).successful(), 0U);
}

TEST_F(WorkerReporting, TheLastReportIsSentAtTheEnd) {
  const FakeControlPlane control_plane(socket_, memory_);
  WorkerProcess worker(Flags());
  ASSERT_TRUE(Eventually([&] { return IsFresh(worker); }));
  SendHellos(worker, 7);
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.ExitStatus(), 0);
  EXPECT_EQ(NewestCounters(memory_).successful(), 7U);
}

TEST_F(WorkerReporting, AnEndWithoutAcknowledgementIsBounded) {
  const FakeControlPlane control_plane(socket_, memory_, {.acknowledges = false});
  WorkerProcess worker(Flags());
  ASSERT_TRUE(worker.started());
  SendHellos(worker, 1);
  const auto begin = steady_clock::now();
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.ExitStatus(), 0);
  EXPECT_GE(steady_clock::now() - begin, milliseconds(1'900));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(5'000));
  EXPECT_THAT(worker.Errors(), HasSubstr("not acknowledged"));
}

TEST_F(WorkerReporting, NothingIsReportedWhileNothingChanges) {
  const FakeControlPlane control_plane(socket_, memory_);
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(Eventually([&] { return ReportCount(memory_) == 1; }));
  std::this_thread::sleep_for(milliseconds(2'200));
  EXPECT_EQ(ReportCount(memory_), 1U);
}

TEST_F(WorkerReporting, CountsStayExactOverKilledControlPlanes) {
  WorkerProcess worker(Flags());
  ASSERT_TRUE(worker.started());
  for (int life = 0; life < 5; ++life) {
    {
      const FakeControlPlane control_plane(socket_, memory_);
      SendHellos(worker, 50);
      ASSERT_TRUE(Eventually([&] { return HelloCount(memory_) > static_cast<size_t>(life); }))
          << life;
    }
    SendHellos(worker, 50);  // While nobody listens.
  }
  const FakeControlPlane control_plane(socket_, memory_);
  EXPECT_TRUE(Eventually([&] { return NewestCounters(memory_).successful() == 500; }))
      << NewestCounters(memory_).successful();
  const std::lock_guard hold(memory_.mutex);
  EXPECT_EQ(memory_.newest.size(), 1U) << "one process is one incarnation";
  for (size_t i = 1; i < memory_.reports.size(); ++i) {
    EXPECT_LT(memory_.reports[i - 1].sequence(), memory_.reports[i].sequence());
  }
}

TEST_F(WorkerReporting, AReturnedControlPlaneIsFoundWithinSeconds) {
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(worker.started());
  std::this_thread::sleep_for(milliseconds(1'500));  // Let its backoff grow to the limit.
  const FakeControlPlane control_plane(socket_, memory_);
  const auto begin = steady_clock::now();
  ASSERT_TRUE(Eventually([&] { return HelloCount(memory_) == 1; }));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(3'000));
}

TEST_F(WorkerReporting, StatsHoldTheWholeClusterAndAreFresh) {
  v1::ClusterStatistics::Row other;
  other.set_worker_id("ffffffffffff");
  other.mutable_counters()->set_successful(10);
  other.mutable_counters()->set_failed(2);
  memory_.others.push_back(other);
  const FakeControlPlane control_plane(socket_, memory_);
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(Eventually([&] { return IsFresh(worker); }));
  SendHellos(worker, 5);
  const HttpAnswer answer = Fetch(worker.address(), "/worker/stats");
  EXPECT_EQ(answer.headers.at("X-GoComet-Stats-Age-Ms"), "0");
  EXPECT_THAT(
      answer.body,
      HasSubstr(R"("TotalRequests":[{"total":17},{"ffffffffffff":12},{"0123456789ab":5}])"));
}

TEST_F(WorkerReporting, ParallelStatsShareOneQuestion) {
  const FakeControlPlane control_plane(socket_, memory_, {.answers_questions = false});
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(Eventually([&] { return ReportCount(memory_) == 1; }));
  std::vector<std::unique_ptr<HttpConnection>> connections;
  connections.reserve(200);
  for (int i = 0; i < 200; ++i) {
    connections.push_back(std::make_unique<HttpConnection>(worker.address()));
  }
  for (const auto& connection : connections) connection->Send("GET", "/worker/stats");
  for (const auto& connection : connections) EXPECT_EQ(connection->Receive().status, 200);
  EXPECT_GE(QuestionCount(memory_), 1U);
  EXPECT_LE(QuestionCount(memory_), 3U);  // Each stays open for 500 ms.
}

TEST_F(WorkerReporting, WithoutAnAnswerInTimeTheKnownNumbersAreGivenAndHelloGoesOn) {
  const FakeControlPlane control_plane(socket_, memory_, {.answers_questions = false});
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(Eventually([&] { return ReportCount(memory_) == 1; }));
  HttpConnection asking(worker.address());
  const auto begin = steady_clock::now();
  asking.Send("GET", "/worker/stats");
  SendHellos(worker, 3);
  const HttpAnswer answer = asking.Receive();
  EXPECT_GE(steady_clock::now() - begin, milliseconds(500));
  EXPECT_EQ(answer.headers.at("X-GoComet-Stats-Age-Ms"), "unknown");
  EXPECT_THAT(answer.body, HasSubstr(R"("TotalRequests":[{"total":3},{"0123456789ab":3}])"));
}

TEST_F(WorkerReporting, WithoutTheControlPlaneTheLastKnownNumbersAreGivenWithTheirAge) {
  v1::ClusterStatistics::Row other;
  other.set_worker_id("ffffffffffff");
  other.mutable_counters()->set_successful(10);
  memory_.others.push_back(other);
  WorkerProcess worker(Flags());
  ASSERT_TRUE(worker.started());
  {
    const FakeControlPlane control_plane(socket_, memory_);
    ASSERT_TRUE(Eventually([&] { return IsFresh(worker); }));
  }
  SendHellos(worker, 4);
  std::this_thread::sleep_for(milliseconds(20));
  const HttpAnswer answer = Fetch(worker.address(), "/worker/stats");
  EXPECT_GE(std::stoi(answer.headers.at("X-GoComet-Stats-Age-Ms")), 20);
  EXPECT_THAT(
      answer.body,
      HasSubstr(R"("TotalRequests":[{"total":14},{"ffffffffffff":10},{"0123456789ab":4}])"));
}

TEST_F(WorkerReporting, ARestartUnderTheSameIdKeepsTheEarlierCountsInStats) {
  const FakeControlPlane control_plane(socket_, memory_);
  {
    WorkerProcess first(Flags());
    ASSERT_TRUE(first.started());
    SendHellos(first, 6);
    first.Signal(SIGTERM);
    ASSERT_EQ(first.ExitStatus(), 0);
  }
  const WorkerProcess second(Flags());
  ASSERT_TRUE(Eventually([&] { return IsFresh(second); }));
  SendHellos(second, 3);
  EXPECT_THAT(Fetch(second.address(), "/worker/stats").body,
              HasSubstr(R"("TotalRequests":[{"total":9},{"0123456789ab":9}])"));
}

TEST_F(WorkerReporting, NewSettingsHoldForTheRequestsThatComeAfter) {
  FakeControlPlane control_plane(socket_, memory_);
  const WorkerProcess worker(Flags());
  ASSERT_TRUE(Eventually([&] { return IsFresh(worker); }));
  EXPECT_EQ(Fetch(worker.address(), "/api/v1/hello").status, 200);
  control_plane.SendSettings(0, 100);
  EXPECT_TRUE(Eventually([&] { return Fetch(worker.address(), "/api/v1/hello").status == 500; }));
  EXPECT_EQ(Fetch(worker.address(), "/api/v1/hello").status, 500);
  control_plane.SendSettings(100, 0);
  EXPECT_TRUE(Eventually([&] { return Fetch(worker.address(), "/api/v1/hello").status == 200; }));
  const auto begin = steady_clock::now();
  EXPECT_EQ(Fetch(worker.address(), "/api/v1/hello").status, 200);
  EXPECT_GE(steady_clock::now() - begin, milliseconds(50));
}

TEST_F(WorkerReporting, ARefusedTokenIsSaidOnceAndTheServiceGoesOn) {
  const FakeControlPlane control_plane(socket_, memory_, {.refusal = "unknown token"});
  WorkerProcess worker(Flags());
  ASSERT_TRUE(worker.started());
  ASSERT_TRUE(
      Eventually([&] { return worker.Errors().find("unknown token") != std::string::npos; }));
  std::this_thread::sleep_for(milliseconds(500));
  const std::string errors = worker.Errors();
  EXPECT_EQ(errors.find("unknown token"), errors.rfind("unknown token")) << errors;
  EXPECT_THAT(errors, Not(HasSubstr("s3cret")));
  EXPECT_EQ(Fetch(worker.address(), "/api/v1/hello").status, 200);
}

TEST_F(WorkerReporting, ATokenFileThatCannotBeUsedIsNamed) {
  for (const std::string content : {"", "two words", "two\nlines"}) {
    ASSERT_TRUE(WriteFileAtomically(token_file_, content, 0600).ok());
    WorkerProcess worker(Flags());
    EXPECT_EQ(worker.ExitStatus(), 1) << content;
    EXPECT_THAT(worker.Errors(), HasSubstr(token_file_));
  }
}

}  // namespace
}  // namespace gocomet::worker
