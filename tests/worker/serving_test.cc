// The real executable, alone: what it answers over HTTP.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/worker/http_connection.h"
#include "tests/worker/worker_process.h"

namespace gocomet::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr char kHello[] = "/api/v1/hello";

uint64_t Total(const Address& address, const std::string& column) {
  const auto stats = nlohmann::json::parse(Fetch(address, "/worker/stats").body, nullptr, false);
  if (!stats.is_object()) return UINT64_MAX;
  return stats[column][0]["total"].get<uint64_t>();
}

TEST(WorkerServing, ASuccessIsJsonThatNamesTheWorker) {
  const WorkerProcess worker({"--id", "3f1c9a2b7d04", "--failure", "0", "--avg-delay", "0"});
  ASSERT_TRUE(worker.started());
  const HttpAnswer answer = Fetch(worker.address(), kHello);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("Content-Type"), "application/json");
  EXPECT_EQ(answer.body, R"({"message":"hello from container: 3f1c9a2b7d04"})");
}

TEST(WorkerServing, AFailureIsAnsweredAtOnce) {
  const WorkerProcess worker({"--failure", "100", "--avg-delay", "60000"});
  ASSERT_TRUE(worker.started());
  const HttpAnswer answer = Fetch(worker.address(), kHello);
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, "Randomized Server Error");
}

TEST(WorkerServing, ASuccessWaitsBetweenHalfAndThreeHalvesOfTheDelay) {
  const WorkerProcess worker({"--failure", "0", "--avg-delay", "20"});
  ASSERT_TRUE(worker.started());
  HttpConnection connection(worker.address());
  for (int i = 0; i < 20; ++i) {
    const auto begin = steady_clock::now();
    connection.Send("GET", kHello);
    ASSERT_EQ(connection.Receive().status, 200);
    // No upper bound: the machine may be busy.
    EXPECT_GE(steady_clock::now() - begin, milliseconds(10));
  }
}

TEST(WorkerServing, TheIdIsTheHostNameWhereNoneIsGiven) {
  char name[256] = "";
  ASSERT_EQ(::gethostname(name, sizeof(name) - 1), 0);
  const WorkerProcess worker({"--failure", "0", "--avg-delay", "0"});
  ASSERT_TRUE(worker.started());
  EXPECT_THAT(Fetch(worker.address(), kHello).body,
              HasSubstr(": " + std::string(name).substr(0, 12) + "\""));
}

TEST(WorkerServing, TheSameSeedFailsTheSameRequests) {
  std::vector<std::string> patterns;
  for (int run = 0; run < 2; ++run) {
    const WorkerProcess worker({"--seed", "17", "--failure", "40", "--avg-delay", "0"});
    ASSERT_TRUE(worker.started());
    HttpConnection connection(worker.address());
    std::string pattern;
    for (int i = 0; i < 200; ++i) {
      connection.Send("GET", kHello);
      pattern += connection.Receive().status == 200 ? '.' : 'x';
    }
    patterns.push_back(pattern);
  }
  EXPECT_EQ(patterns[0], patterns[1]);
  EXPECT_THAT(patterns[0], HasSubstr("x"));
}

TEST(WorkerServing, AloneItsStatsAreItsOwnAndTheOthersAgeIsUnknown) {
  const WorkerProcess worker({"--id", "aaaa", "--failure", "0", "--avg-delay", "0"});
  ASSERT_TRUE(worker.started());
  Fetch(worker.address(), kHello);
  const HttpAnswer answer = Fetch(worker.address(), "/worker/stats");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("Content-Type"), "application/json");
  EXPECT_EQ(answer.headers.at("X-GoComet-Stats-Age-Ms"), "unknown");
  EXPECT_THAT(answer.body, HasSubstr(R"("TotalRequests":[{"total":1},{"aaaa":1}])"));
}

TEST(WorkerServing, OnlyHelloCounts) {
  const WorkerProcess worker({"--failure", "0", "--avg-delay", "0"});
  ASSERT_TRUE(worker.started());
  for (const char* target : {"/healthz", "/worker/stats", "/nothing", "/api/v1/hello/"}) {
    Fetch(worker.address(), target);
  }
  Fetch(worker.address(), kHello, "POST");
  EXPECT_EQ(Total(worker.address(), "TotalRequests"), 0U);
}

TEST(WorkerServing, HealthOtherPathsAndOtherMethodsHaveTheirAnswers) {
  const WorkerProcess worker({"--failure", "0"});
  ASSERT_TRUE(worker.started());
  const HttpAnswer health = Fetch(worker.address(), "/healthz");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.body, "ok\n");
  EXPECT_EQ(Fetch(worker.address(), "/").status, 404);
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const HttpAnswer answer = Fetch(worker.address(), kHello, method);
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.headers.at("Allow"), "GET, HEAD") << method;
  }
}

TEST(WorkerServing, HeadHasTheHeadersOfGetAndNoBody) {
  const WorkerProcess worker({"--failure", "0"});
  ASSERT_TRUE(worker.started());
  HttpConnection connection(worker.address());
  connection.Send("HEAD", "/healthz");
  EXPECT_EQ(connection.Receive(true).headers.at("Content-Length"), "3");
  connection.Send("GET", "/healthz");
  EXPECT_EQ(connection.Receive().status, 200);
}

TEST(WorkerServing, PipelinedRequestsAreAnsweredInOrder) {
  const WorkerProcess worker({"--failure", "0", "--avg-delay", "20"});
  ASSERT_TRUE(worker.started());
  HttpConnection connection(worker.address());
  connection.Send("GET", kHello);
  connection.Send("GET", "/healthz");
  connection.Send("GET", kHello);
  EXPECT_THAT(connection.Receive().body, HasSubstr("hello"));
  EXPECT_EQ(connection.Receive().body, "ok\n");
  EXPECT_THAT(connection.Receive().body, HasSubstr("hello"));
}

TEST(WorkerServing, ARequestWhoseClientLeftStillCounts) {
  WorkerProcess worker({"--failure", "0", "--avg-delay", "100"});
  ASSERT_TRUE(worker.started());
  for (int i = 0; i < 50; ++i) {
    HttpConnection connection(worker.address());
    connection.Send("GET", kHello);
    const linger at_once{.l_onoff = i % 2, .l_linger = 0};  // Every other one with a reset.
    ::setsockopt(connection.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (i % 5 == 0) {  // Some leave only once the worker has read the request.
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  // A reset may overtake its request on the way, before the worker reads it; a FIN never does.
  EXPECT_TRUE(Eventually([&] { return Total(worker.address(), "SuccessfulRequests") >= 25; }))
      << Total(worker.address(), "SuccessfulRequests");
  EXPECT_EQ(Fetch(worker.address(), "/healthz").status, 200);
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.ExitStatus(), 0) << worker.Errors();  // Leaks show here under a sanitizer.
}

TEST(WorkerServing, TenThousandRequestsWaitAtOnceOnOneThread) {
  constexpr size_t kRequests = 10'000;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < kRequests + 1'000) GTEST_SKIP() << "needs 11,000 descriptors";

  // Each waits 2 to 6 s: all are sent before the first is answered, unless the machine is slow.
  const WorkerProcess worker({"--failure", "0", "--avg-delay", "4000"});
  ASSERT_TRUE(worker.started());
  const auto begin = steady_clock::now();
  std::deque<HttpConnection> connections;
  for (size_t i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(connections.emplace_back(worker.address()).connected()) << i;
    connections.back().Send("GET", kHello);
  }
  const auto sent = steady_clock::now() - begin;
  size_t answered = 0;
  for (HttpConnection& connection : connections) {
    answered += connection.Receive().status == 200 ? 1 : 0;
  }
  const auto all = steady_clock::now() - begin;
  EXPECT_EQ(answered, kRequests);
  EXPECT_LT(all, sent + std::chrono::seconds(9)) << "the delays did not overlap";
  EXPECT_EQ(Total(worker.address(), "SuccessfulRequests"), kRequests);
  RecordProperty("seconds", std::to_string(std::chrono::duration<double>(all).count()));

  std::ifstream tasks(Cat("/proc/", worker.pid(), "/status"));
  std::string line;
  while (std::getline(tasks, line) && line.rfind("Threads:", 0) != 0) {
  }
  EXPECT_EQ(line, "Threads:\t1");
}

TEST(WorkerServing, ListensOnAUnixSocketToo) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/http.sock";
  WorkerProcess worker({"--unix-socket", path, "--failure", "0", "--avg-delay", "0"});
  ASSERT_TRUE(worker.started());
  const Address address = *Address::Parse("unix:" + path);
  EXPECT_EQ(Fetch(address, kHello).status, 200);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0666U);
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.ExitStatus(), 0);
  EXPECT_NE(::stat(path.c_str(), &status), 0) << "the socket was left behind";
}

TEST(WorkerServing, AStaleUnixSocketIsReplacedAndALiveOneIsNot) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/http.sock";
  {
    WorkerProcess killed({"--unix-socket", path});
    ASSERT_TRUE(killed.started());
    WorkerProcess second({"--unix-socket", path});
    EXPECT_EQ(second.ExitStatus(), 1);
    EXPECT_THAT(second.Errors(), HasSubstr("another program does"));
  }
  const WorkerProcess successor({"--unix-socket", path});
  EXPECT_TRUE(successor.started());
  EXPECT_EQ(Fetch(*Address::Parse("unix:" + path), "/healthz").status, 200);
}

TEST(WorkerServing, AFileInTheUnixSocketsPlaceIsLeftAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/precious";
  ASSERT_TRUE(WriteFileAtomically(path, "data", 0600).ok());
  WorkerProcess worker({"--unix-socket", path});
  EXPECT_EQ(worker.ExitStatus(), 1);
  EXPECT_THAT(worker.Errors(), HasSubstr("is not a socket"));
  EXPECT_EQ(*ReadFile(path), "data");
}

TEST(WorkerServing, SigtermFinishesWhatItHasAndTakesNoMore) {
  WorkerProcess worker({"--failure", "0", "--avg-delay", "600"});
  ASSERT_TRUE(worker.started());
  HttpConnection connection(worker.address());
  HttpConnection idle(worker.address());
  connection.Send("GET", kHello);
  ASSERT_EQ(Fetch(worker.address(), "/healthz").status, 200);  // By now the other one was read.
  worker.Signal(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return !HttpConnection(worker.address()).connected(); }));
  const HttpAnswer answer = connection.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("Connection"), "close");
  EXPECT_TRUE(connection.EndsHere());
  EXPECT_EQ(worker.ExitStatus(), 0);
  EXPECT_TRUE(idle.EndsHere());
}

TEST(WorkerServing, ASecondSignalEndsItAtOnce) {
  WorkerProcess worker({"--failure", "0", "--avg-delay", "600000"});
  ASSERT_TRUE(worker.started());
  HttpConnection connection(worker.address());
  connection.Send("GET", kHello);
  ASSERT_EQ(Fetch(worker.address(), "/healthz").status, 200);
  worker.Signal(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return !HttpConnection(worker.address()).connected(); }));
  worker.Signal(SIGINT);
  EXPECT_EQ(worker.ExitStatus(), 128 + SIGINT);
}

TEST(WorkerServing, ATakenPortIsNamed) {
  const WorkerProcess first({});
  ASSERT_TRUE(first.started());
  WorkerProcess second({}, first.address().port());
  EXPECT_EQ(second.ExitStatus(), 1);
  EXPECT_THAT(second.Errors(), HasSubstr("cannot listen on " + first.address().ToString()));
}

TEST(WorkerServing, UsageErrorsAreOneLineAndExitWith2) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--failure", "101"}, "--failure"},
      {{"--failure", "-1"}, "--failure"},
      {{"--avg-delay", "soon"}, "--avg-delay"},
      {{"--bind", "localhost"}, "--bind"},
      {{"--id", "a b"}, "--id"},
      {{"--control-plane", "unix:/tmp/x"}, "--token-file"},
      {{"--control-plane", "here", "--token-file", "/dev/null"}, "--control-plane"},
      {{"--unix-socket", "relative"}, "--unix-socket"},
      {{"--nonsense"}, "--nonsense"},
      {{"stray"}, "stray"},
  };
  for (const auto& [flags, named] : cases) {
    WorkerProcess worker(flags);
    EXPECT_EQ(worker.ExitStatus(), 2) << named;
    const std::string errors = worker.Errors();
    EXPECT_THAT(errors, HasSubstr(named));
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  }
}

}  // namespace
}  // namespace gocomet::worker
