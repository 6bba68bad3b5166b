#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dataplane/observe/access_log.h"
#include "tests/dataplane/one_shard.h"

// What the access log tells of exchanges, by how they go.
namespace gocomet::dataplane {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kGet[] = "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nX-Request-Id: r1\r\n\r\n";
constexpr char kPost[] =
    "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nX-Request-Id: r2\r\n\r\nbody";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class LoggedExchanges : public testing::Test {
 protected:
  LoggedExchanges() {
    std::string name = (std::filesystem::temp_directory_path() / "logged-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    Open({.path = directory_ + "/log"});
  }
  ~LoggedExchanges() override {
    log_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Open(AccessLogSettings settings) {
    log_ = *AccessLog::Open(std::move(settings), [](const std::string&) {});
    lane_ = &log_->AddLane();
    log_->Start();
  }

  // The lines, once there are as many.
  std::vector<json> Lines(size_t count) {
    EXPECT_TRUE(Eventually([&] { return log_->written() >= count; }));
    std::vector<json> lines;
    std::ifstream in(directory_ + "/log");
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    EXPECT_EQ(lines.size(), count);
    lines.resize(count);
    return lines;
  }
  json OnlyLine() { return Lines(1)[0]; }

  std::string directory_;
  std::unique_ptr<AccessLog> log_;
  AccessLog::Lane* lane_ = nullptr;
};

TEST_F(LoggedExchanges, TellOfARequestThatWasAnswered) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  EXPECT_TRUE(client.IsSilentFor(milliseconds(30)));
  worker.Send(kOk);
  client.ReadUntil("ok");
  const json line = OnlyLine();
  EXPECT_EQ(line["client"], "127.0.0.1");
  EXPECT_EQ(line["request_id"], "r1");
  EXPECT_EQ(line["method"], "GET");
  EXPECT_EQ(line["target"], "/a");
  EXPECT_EQ(line["protocol"], "HTTP/1.1");
  EXPECT_EQ(line["host"], "example.org");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["worker"], "worker-0");
  EXPECT_EQ(line["reused"], false);
  EXPECT_EQ(line["retries"], 0);
  EXPECT_EQ(line["bytes_in"], std::string_view(kGet).size());
  EXPECT_EQ(line["bytes_out"], std::string_view(kOk).size());
  EXPECT_GE(line["worker_us"], 25'000);
  EXPECT_GE(line["duration_us"], line["worker_us"]);
  EXPECT_LT(line["own_us"], line["worker_us"]);
  EXPECT_FALSE(line.contains("error"));
}

TEST_F(LoggedExchanges, HaveTheTimeAtWhichTheyBegan) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  const time_t before = ::time(nullptr);
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  client.ReadUntil("ok");
  const time_t after = ::time(nullptr);
  const std::string time = OnlyLine()["time"];
  tm utc{};
  const char* rest = ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  ASSERT_NE(rest, nullptr) << time;
  EXPECT_THAT(rest, testing::MatchesRegex("\\.[0-9]{6}Z"));
  EXPECT_GE(::timegm(&utc), before - 1);
  EXPECT_LE(::timegm(&utc), after);
}

TEST_F(LoggedExchanges, CountTheBytesOfBodiesBothWays) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  const std::string up(100'000, 'u');
  const std::string down(300'000, 'd');
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
  const std::string answer_head = "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n";
  client.Send(head + up);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.ReadExactly(up.size());
  std::thread sender([&] { worker.Send(answer_head + down); });
  client.ReadExactly(answer_head.size() + down.size());
  sender.join();
  const json line = OnlyLine();
  EXPECT_EQ(line["bytes_in"], head.size() + up.size());
  EXPECT_EQ(line["bytes_out"], answer_head.size() + down.size());
}

TEST_F(LoggedExchanges, SayThatTheWorkersConnectionWasUsedBefore) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  Peer worker;
  for (int i = 0; i < 2; ++i) {
    client.Send(kGet);
    if (!worker.valid()) worker = door.Accept();
    worker.ReadHead();
    worker.Send(kOk);
    client.ReadUntil("ok");
  }
  const std::vector<json> lines = Lines(2);
  EXPECT_EQ(lines[0]["reused"], false);
  EXPECT_EQ(lines[1]["reused"], true);
}

TEST_F(LoggedExchanges, TellOfARequestThatWasNoGood) {
  OneShard balancer({}, {}, lane_);
  const std::string request =
      "POST /x?secret HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
  Peer client = balancer.Connect();
  client.Send(request);
  const std::string answer = client.ReadToEnd();
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 400);
  EXPECT_EQ(line["method"], "POST");
  EXPECT_EQ(line["target"], "/x");
  EXPECT_EQ(line["host"], "h");
  EXPECT_NE(answer.find("X-GoComet-Error: " + line["error"].get<std::string>() + "\r\n"),
            std::string::npos)
      << line;
  EXPECT_EQ(line["bytes_out"], answer.size());
  EXPECT_FALSE(line.contains("worker"));
  EXPECT_FALSE(line.contains("worker_us"));
}

TEST_F(LoggedExchanges, TellOfBytesThatAreNoHttp) {
  OneShard balancer({}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send(std::string("\x16\x03\x01\x00\xff\r\n\r\n", 9));
  client.ReadToEnd();
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 400);
  EXPECT_FALSE(line.contains("method"));
}

TEST_F(LoggedExchanges, TellOfAHeadThatDidNotCome) {
  OneShard balancer({}, {.limits = {.header_timeout = milliseconds(30)}}, lane_);
  Peer client = balancer.Connect();
  client.Send("GET /slow HTTP/1.1\r\nHos");
  client.ReadToEnd();
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 408);
  EXPECT_EQ(line["error"], "header_timeout");
  EXPECT_EQ(line["target"], "/slow");
  EXPECT_GE(line["duration_us"], 25'000);
  EXPECT_LT(line["own_us"], 25'000);
}

TEST_F(LoggedExchanges, TellOfRequestsForWhichThereIsNoWorker) {
  OneShard balancer({}, {}, lane_);
  Peer client = balancer.Connect();
  size_t answers = 0;
  for (int i = 0; i < 2; ++i) {
    client.Send(kGet);
    answers += client.ReadUntil("No healthy server found").size();
  }
  const std::vector<json> lines = Lines(2);
  EXPECT_EQ(lines[0]["status"], 503);
  EXPECT_EQ(lines[0]["error"], "no_healthy_worker");
  EXPECT_EQ(lines[0]["request_id"], "r1");
  EXPECT_EQ(lines[0]["retries"], 0);
  EXPECT_EQ(lines[0]["bytes_out"].get<size_t>() + lines[1]["bytes_out"].get<size_t>(), answers);
}

TEST_F(LoggedExchanges, CountTheRetriesOfOneThatWasAnswered) {
  Door doors[2];
  OneShard balancer({doors[0].address(), doors[1].address()}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer first = doors[0].Accept();
  first.ReadHead();
  EXPECT_TRUE(client.IsSilentFor(milliseconds(30)));
  first.CloseWithReset();
  Peer second = doors[1].Accept();
  second.ReadHead();
  second.Send(kOk);
  client.ReadUntil("ok");
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["worker"], "worker-1");
  EXPECT_EQ(line["retries"], 1);
  EXPECT_LT(line["own_us"].get<int64_t>() + line["worker_us"].get<int64_t>(),
            line["duration_us"].get<int64_t>() - 25'000)
      << "the wait for the first worker is neither's";
}

TEST_F(LoggedExchanges, NameTheWorkerThatFailed) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send(kPost);
  Peer worker = door.Accept();
  worker.ReadUntil("body");
  worker.Close();
  client.ReadToEnd();
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 502);
  EXPECT_EQ(line["error"], "connection_lost");
  EXPECT_EQ(line["worker"], "worker-0");
  EXPECT_EQ(line["method"], "POST");
  EXPECT_EQ(line["bytes_in"], std::string_view(kPost).size());
}

TEST_F(LoggedExchanges, NameTheWorkerThatRefused) {
  OneShard balancer({RefusingAddress()}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send(kGet);
  client.ReadUntil("No healthy server found");
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 503);
  EXPECT_EQ(line["worker"], "worker-0");
}

TEST_F(LoggedExchanges, TellOfAnAnswerThatWasCutShort) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok");
  client.ReadUntil("ok");
  worker.Close();
  client.ReadToEnd();
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["error"], "connection_lost");
}

TEST_F(LoggedExchanges, TellOfAClientThatLeft) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send(kPost);
  Peer worker = door.Accept();
  worker.ReadUntil("body");
  EXPECT_TRUE(client.IsSilentFor(milliseconds(60)));
  client.CloseWithReset();
  EXPECT_TRUE(worker.Ends());
  const json line = OnlyLine();
  EXPECT_EQ(line["error"], "client_gone");
  EXPECT_EQ(line["worker"], "worker-0");
  EXPECT_FALSE(line.contains("status"));
  EXPECT_GE(line["duration_us"], 50'000);
}

TEST_F(LoggedExchanges, TellOfATunnelOnceItEnds) {
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  client.Send("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  const size_t answer = client.ReadHead().size();
  client.Send("ping");
  worker.ReadExactly(4);
  worker.Send("pong!");
  client.ReadExactly(5);
  EXPECT_EQ(log_->written(), 0u);
  client.ShutdownWrite();
  EXPECT_TRUE(worker.Ends());
  worker.Close();
  EXPECT_TRUE(client.Ends());
  const json line = OnlyLine();
  EXPECT_EQ(line["status"], 101);
  EXPECT_FALSE(line.contains("error")) << line;
  EXPECT_EQ(line["target"], "/ws");
  EXPECT_EQ(line["bytes_out"], answer + 5);
  LatencyCounts counts;
  balancer.shard().latencies().AddTo(counts);
  EXPECT_EQ(counts.total.count(), 0u) << "its length says nothing of a request's";
}

TEST_F(LoggedExchanges, TellOfWhatTheEndOfTheBalancerCutOff) {
  Door door;
  Peer worker;
  {
    OneShard balancer({door.address()}, {}, lane_);
    Peer client = balancer.Connect();
    client.Send(kGet);
    worker = door.Accept();
    worker.ReadHead();
  }
  const json line = OnlyLine();
  EXPECT_EQ(line["error"], "cut_off");
  EXPECT_EQ(line["worker"], "worker-0");
}

TEST_F(LoggedExchanges, AreOnlyThoseThatAreAskedFor) {
  Open({.path = directory_ + "/log", .policy = {.mode = AccessLogMode::kErrors}});
  Door door;
  OneShard balancer({door.address()}, {}, lane_);
  Peer client = balancer.Connect();
  Peer worker;
  for (const char* status : {"200", "404", "500"}) {
    client.Send(kGet);
    if (!worker.valid()) worker = door.Accept();
    worker.ReadHead();
    worker.Send(std::string("HTTP/1.1 ") + status + " X\r\nContent-Length: 2\r\n\r\nok");
    client.ReadUntil("ok");
  }
  EXPECT_EQ(OnlyLine()["status"], 500);
}

// Whatever becomes of the log, requests go on as without it.
TEST_F(LoggedExchanges, NeverDelayRequests) {
  ASSERT_EQ(::mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
  const std::string target(6000, 't');
  const std::string request = "GET /" + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string& path : {std::string("/dev/full"), directory_ + "/fifo"}) {
    Open({.path = path});
    Door door;
    OneShard balancer({door.address()}, {}, lane_);
    Peer client = balancer.Connect();
    Peer worker;
    auto slowest = steady_clock::duration::zero();
    // More than ring and pipe hold.
    constexpr int kRequests = 400;
    for (int i = 0; i < kRequests; ++i) {
      const auto before = steady_clock::now();
      client.Send(request);
      if (!worker.valid()) worker = door.Accept();
      worker.ReadHead();
      worker.Send(kOk);
      client.ReadUntil("ok");
      slowest = std::max(slowest, steady_clock::now() - before);
    }
    EXPECT_LT(slowest, milliseconds(1000)) << path << ", beside a machine that is busy";
    EXPECT_TRUE(Eventually([this] { return log_->dropped() > 0; })) << path;
  }
}

}  // namespace
}  // namespace gocomet::dataplane
