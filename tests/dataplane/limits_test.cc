#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// What bounds clients, workers and requests, and how each bound shows.
namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string StatusOf(const std::string& head) { return head.substr(9, 3); }

TEST(Limits, AnswersAClientThatIsTooSlow) {
  Door door;
  OneShard balancer({door.address()}, {.limits = {.header_timeout = milliseconds(50),
                                                  .body_timeout = milliseconds(50),
                                                  .idle_timeout = milliseconds(50)}});
  Peer slow = balancer.Connect();
  slow.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(StatusOf(slow.ReadHead()), "408");
  Peer idle = balancer.Connect();
  EXPECT_EQ(idle.ReadToEnd(), "");
  Peer half = balancer.Connect();
  half.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(StatusOf(half.ReadHead()), "408");
}

TEST(Limits, AnswersForAWorkerThatIsTooSlow) {
  Door door;
  OneShard balancer({door.address()}, {.limits = {.response_timeout = milliseconds(50)}});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  EXPECT_EQ(StatusOf(client.ReadHead()), "504");
  EXPECT_TRUE(worker.Ends());
  EXPECT_EQ(balancer.endpoint(0).counters->timeouts, 1u);
}

TEST(Limits, ClosesAConnectionToAWorkerThatIsIdleForTooLong) {
  Door door;
  OneShard balancer({door.address()}, {.limits = {.upstream_idle_timeout = milliseconds(50)}});
  Peer client = balancer.Connect();
  for (int i = 0; i < 2; ++i) {
    client.Send(kGet);
    Peer worker = door.Accept();
    worker.ReadHead();
    worker.Send(kOk);
    EXPECT_EQ(client.ReadUntil("ok"), kOk) << "the client's connection stays";
    EXPECT_TRUE(worker.Ends());
  }
}

TEST(Limits, PausesAcceptingWhereAllConnectionsAreTaken) {
  Door door;
  OneShard balancer({door.address()}, {.limits = {.connections_max = 1}});
  Peer first = balancer.Connect();
  first.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  Peer second = balancer.Connect();
  second.Send(kGet);
  EXPECT_TRUE(worker.IsSilentFor(milliseconds(50)));
  worker.Send(kOk);
  first.ReadUntil("ok");
  first.Close();
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_EQ(second.ReadUntil("ok"), kOk);
}

TEST(Limits, AsksForARateOfABodyThatComesInTinyPieces) {
  Door door;
  OneShard balancer({door.address()},
                    {.limits = {.body_timeout = milliseconds(200), .body_rate_min = 1000}});
  Peer trickling = balancer.Connect();
  trickling.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  Peer worker = door.Accept();
  worker.ReadHead();
  // A byte each 10 ms is progress, yet a tenth of the rate.
  const auto began = steady_clock::now();
  std::string answer;
  for (int i = 0; i < 400 && answer.empty(); ++i) {
    trickling.SendWhatFits("x");
    if (!trickling.IsSilentFor(milliseconds(10))) answer = trickling.ReadHead();
  }
  ASSERT_NE(answer, "") << "it was served for ever";
  EXPECT_EQ(StatusOf(answer), "408");
  EXPECT_GE(steady_clock::now() - began, milliseconds(200)) << "the first body_timeout is free";
}

TEST(Limits, DoesNotBlameAClientForAWorkerThatDoesNotRead) {
  Door door;
  OneShard balancer({door.address()},
                    {.limits = {.body_timeout = milliseconds(300), .body_rate_min = 1 << 30}});
  const std::string body(32 << 20, 'x');
  Peer client = balancer.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  Peer worker = door.Accept();
  worker.ReadHead();
  std::thread sender([&] { client.Send(body); });
  for (size_t got = 0; got < body.size(); got += 4 << 20) {
    EXPECT_TRUE(client.IsSilentFor(milliseconds(20))) << "a worker may take its time";
    worker.ReadExactly(4 << 20);
  }
  sender.join();
  worker.Send(kOk);
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
}

TEST(Limits, EndsAConnectionWithTheLastRequestThatItMayBring) {
  Door door;
  OneShard balancer({door.address()}, {.limits = {.requests_per_connection_max = 2}});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_EQ(client.ReadUntil("ok").find("Connection: close"), std::string::npos);
  client.Send(kGet);
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_NE(client.ReadToEnd().find("Connection: close"), std::string::npos);
}

TEST(Forwarded, BelievesOnlyTrustedClientsAboutEarlierHops) {
  Door door;
  for (const bool trusted : {true, false}) {
    ProxySettings settings;
    if (!trusted) settings.forwarding.trusted_proxies = *Networks::Parse("192.0.2.0/24");
    OneShard balancer({door.address()}, settings);
    Peer client = balancer.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
    Peer worker = door.Accept();
    const std::string head = worker.ReadHead();
    const std::string expected =
        trusted ? "X-Forwarded-For: 203.0.113.9, 127.0.0.1\r\n" : "X-Forwarded-For: 127.0.0.1\r\n";
    EXPECT_NE(head.find(expected), std::string::npos) << head;
  }
}

}  // namespace
}  // namespace gocomet::dataplane
