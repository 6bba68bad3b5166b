#include <string>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// Workers that break.
namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kPost[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// One request answered, so that its connection to the worker is idle.
Peer WarmUp(Peer& client, Door& door) {
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  client.ReadUntil("ok");
  return worker;
}

TEST(Faults, GivesARefusedRequestToAnotherWorkerWhateverItsMethod) {
  Door door;
  OneShard balancer({RefusingAddress(), door.address()});
  for (const char* request : {kGet, kPost}) {
    Peer client = balancer.Connect();
    client.Send(request);
    Peer worker = door.Accept();
    worker.ReadHead();
    worker.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    EXPECT_EQ(client.ReadUntil("ok"), kOk);
  }
  EXPECT_GE(balancer.endpoint(0).counters->connect_errors, 1u);
  EXPECT_GE(balancer.refusals(), 1);
  EXPECT_TRUE(balancer.endpoint(0).refuses);
}

TEST(Faults, SaysSoAtOnceWhereNoWorkerTakesConnections) {
  OneShard balancer({RefusingAddress(), RefusingAddress()});
  Peer client = balancer.Connect();
  for (int i = 0; i < 2; ++i) {
    client.Send(kGet);
    const std::string answer = client.ReadUntil("No healthy server found");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << answer;
    EXPECT_EQ(answer.find("Connection: close"), std::string::npos) << "the client may ask again";
  }
}

TEST(Faults, SaysSoWhereThereIsNoWorkerAtAll) {
  OneShard balancer({});
  Peer client = balancer.Connect();
  client.Send(kGet);
  EXPECT_TRUE(client.ReadUntil("No healthy server found").starts_with("HTTP/1.1 503 "));
}

TEST(Faults, TriesAgainWhereAnIdleConnectionClosedJustAsItWasUsed) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  for (int round = 0; round < 20; ++round) {
    Peer worker = WarmUp(client, door);
    // The request and the end of the connection cross.
    client.Send(kGet);
    worker.Close();
    Peer next = door.Accept();
    next.ReadHead();
    next.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    ASSERT_EQ(client.ReadUntil("ok"), kOk) << "round " << round;
  }
}

TEST(Faults, TriesAnIdempotentRequestAgainWhoseWorkerDiedBeforeItsAnswer) {
  Door doors[2];
  OneShard balancer({doors[0].address(), doors[1].address()});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer first = doors[0].Accept();
  first.ReadHead();
  first.CloseWithReset();
  Peer second = doors[1].Accept();
  second.ReadHead();
  second.Send(kOk);
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
  EXPECT_EQ(balancer.endpoint(0).counters->resets, 1u);
  EXPECT_EQ(balancer.endpoint(0).counters->retried, 1u);
}

TEST(Faults, NeverSendsAPostTwice) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(kPost);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.ReadExactly(4);
  worker.Close();
  EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_TRUE(door.NobodyKnocksFor(milliseconds(30)));
}

TEST(Faults, NeverTriesAgainOnceAnAnswerHasBegun) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.1 200 OK\r\nConte");
  balancer.HaveItsTurn();
  worker.Close();
  EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_TRUE(door.NobodyKnocksFor(milliseconds(30)));
}

TEST(Faults, PassesAWorkersOwnErrorThrough) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(client.ReadUntil("no"), "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(balancer.endpoint(0).counters->by_status_class[4], 1u);
}

TEST(Faults, ClosesIdleConnectionsToAWorkerThatItRoutesToNoMore) {
  Door doors[2];
  OneShard balancer({doors[0].address(), doors[1].address()});
  Peer client = balancer.Connect();
  Peer worker = WarmUp(client, doors[0]);
  balancer.RouteTo({1});
  EXPECT_TRUE(worker.Ends());
}

TEST(Faults, TellsWhenNothingIsInFlightWithADrainingWorker) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  balancer.endpoint(0).draining = true;
  balancer.RouteTo({});
  EXPECT_EQ(balancer.endpoint(0).in_flight, 1u);
  EXPECT_EQ(balancer.times_nothing_in_flight(), 0);
  worker.Send(kOk);
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
  EXPECT_TRUE(Eventually([&] { return balancer.times_nothing_in_flight() == 1; }));
  EXPECT_TRUE(worker.Ends());
}

}  // namespace
}  // namespace gocomet::dataplane
