#include <unistd.h>

#include <future>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// A balancer that goes: no client that heeds `Connection: close` loses a request.
namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr char kLastOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

// Of connections between requests: longer than any test, or short.
ProxySettings IdleFor(milliseconds time) { return {.limits = {.drain_idle_timeout = time}}; }
const ProxySettings kIdleForLong = IdleFor(milliseconds(600'000));

// A client that was answered once, and the worker's connection.
struct Pair {
  Pair(OneShard& balancer, Door& door) : client(balancer.Connect()) {
    client.Send(kGet);
    worker = door.Accept();
    worker.ReadHead();
    worker.Send(kOk);
    EXPECT_EQ(client.ReadUntil("ok"), kOk);
  }
  Peer client;
  Peer worker;
};

void Drain(OneShard& balancer) { balancer.shard().Drain(Shard::Waiting::kAccept); }

bool BecomesDrained(OneShard& balancer) {
  return Eventually([&] { return balancer.drained(); });
}

TEST(Drain, FinishesTheRequestThatItHasAndTakesNoNewConnection) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  Peer busy = balancer.Connect();
  busy.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  Drain(balancer);
  EXPECT_TRUE(Eventually([&] { return balancer.Refuses(); }));
  EXPECT_FALSE(balancer.drained());
  worker.Send(kOk);
  EXPECT_EQ(busy.ReadToEnd(), kLastOk);
  busy.Close();
  EXPECT_TRUE(BecomesDrained(balancer));
}

TEST(Drain, AnswersOneMoreRequestOfAnIdleConnectionAndSaysThatItIsTheLast) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  Pair idle(balancer, door);
  Drain(balancer);
  EXPECT_TRUE(Eventually([&] { return balancer.Refuses(); }));
  idle.client.Send(kGet);
  idle.worker.ReadHead();
  idle.worker.Send(kOk);
  EXPECT_EQ(idle.client.ReadToEnd(), kLastOk);
  idle.client.Close();
  EXPECT_TRUE(BecomesDrained(balancer));
}

TEST(Drain, AnswersTheFirstRequestOfAConnectionThatHasSentNothingYet) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  Peer client = balancer.Connect();
  client.Send("GET /");
  ASSERT_TRUE(Eventually([&] { return balancer.shard().connections() == 1; }));
  Drain(balancer);
  EXPECT_TRUE(Eventually([&] { return balancer.Refuses(); }));
  client.Send(" HTTP/1.1\r\nHost: h\r\n\r\n");
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_EQ(client.ReadToEnd(), kLastOk);
}

TEST(Drain, ClosesAConnectionWithoutARequestAfterAWhile) {
  Door door;
  OneShard balancer({door.address()}, IdleFor(milliseconds(50)));
  Pair idle(balancer, door);
  Drain(balancer);
  EXPECT_EQ(idle.client.ReadToEnd(), "");
  EXPECT_TRUE(BecomesDrained(balancer));
}

TEST(Drain, KeepsThePromiseOfAnAnswerThatHasBegun) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  client.ReadHead();
  Drain(balancer);
  EXPECT_TRUE(Eventually([&] { return balancer.Refuses(); }));
  worker.Send("ok");
  EXPECT_EQ(client.ReadExactly(2), "ok");
  client.Send(kGet);
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_EQ(client.ReadToEnd(), kLastOk);
}

TEST(Drain, AnswersAllRequestsThatAClientHasSentAhead) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  Peer client = balancer.Connect();
  client.Send(std::string(kGet) + kGet + kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  Drain(balancer);
  EXPECT_TRUE(Eventually([&] { return balancer.Refuses(); }));
  worker.Send(kOk);
  worker.ReadHead();
  worker.Send(kOk);
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_EQ(client.ReadToEnd(), std::string(kOk) + kOk + kLastOk);
}

TEST(Drain, DoesNotCutOffItsLastAnswerWhereAFurtherRequestCrossesIt) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  Drain(balancer);
  EXPECT_TRUE(Eventually([&] { return balancer.Refuses(); }));
  worker.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  client.ReadHead();
  client.Send(kGet);  // In vain.
  worker.Send("ok");
  EXPECT_EQ(client.ReadToEnd(), "ok");
  EXPECT_TRUE(door.NobodyKnocksFor(milliseconds(30)));
}

TEST(Drain, AcceptsThoseWhoWaitInTheQueue) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  std::promise<void> go_on;
  balancer.Run([&] { go_on.get_future().wait(); });
  Peer waiting[3] = {balancer.Connect(), balancer.Connect(), balancer.Connect()};
  for (Peer& client : waiting) client.Send(kGet);
  Drain(balancer);
  go_on.set_value();
  for (int i = 0; i < 3; ++i) {
    Peer worker = door.Accept();
    worker.ReadHead();
    worker.Send(kOk);
  }
  for (Peer& client : waiting) EXPECT_EQ(client.ReadToEnd(), kLastOk);
}

TEST(Drain, LeavesThoseWhoWaitToASuccessorThatHasTheSameSocket) {
  Door door;
  OneShard balancer({door.address()}, kIdleForLong);
  std::vector<UniqueFd> shared;
  shared.emplace_back(::dup(balancer.listener()));
  std::promise<void> go_on;
  balancer.Run([&] { go_on.get_future().wait(); });
  Peer client = balancer.Connect();
  client.Send(kGet);
  balancer.shard().Drain(Shard::Waiting::kLeaveToSuccessor);
  go_on.set_value();
  EXPECT_TRUE(BecomesDrained(balancer));
  OneShard successor({door.address()}, kIdleForLong);
  successor.shard().AcceptFrom(std::move(shared));
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
}

}  // namespace
}  // namespace gocomet::dataplane
