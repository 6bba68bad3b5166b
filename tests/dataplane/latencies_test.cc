#include <string>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// How long the parts of requests took, as a shard counts them.
namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

LatencyCounts CountsOf(OneShard& balancer) {
  LatencyCounts counts;
  balancer.shard().latencies().AddTo(counts);
  return counts;
}

// Waits for as many as `count` requests to be counted.
LatencyCounts CountsAfter(OneShard& balancer, uint64_t count) {
  EXPECT_TRUE(Eventually([&] { return CountsOf(balancer).own.count() >= count; }));
  return CountsOf(balancer);
}

TEST(Latencies, TellTheWorkersTimeFromOurOwn) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  EXPECT_TRUE(client.IsSilentFor(milliseconds(60)));
  worker.Send(kOk);
  client.ReadUntil("ok");
  const LatencyCounts counts = CountsAfter(balancer, 1);
  EXPECT_EQ(counts.total.count(), 1u);
  EXPECT_EQ(counts.worker.count(), 1u);
  EXPECT_GE(counts.worker.mean(), milliseconds(50));
  EXPECT_GE(counts.total.mean(), counts.worker.mean() + counts.own.mean());
  EXPECT_GT(counts.own.mean().count(), 0);
}

TEST(Latencies, BlameNobodyForAClientThatTakesItsTime) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send("POST / HTTP/1.1\r\nHo");
  EXPECT_TRUE(door.NobodyKnocksFor(milliseconds(60)));
  client.Send("st: h\r\nContent-Length: 4\r\n\r\nbo");
  Peer worker = door.Accept();
  worker.ReadUntil("bo");
  EXPECT_TRUE(client.IsSilentFor(milliseconds(60)));
  client.Send("dy");
  worker.ReadUntil("dy");
  worker.Send(kOk);
  client.ReadUntil("ok");
  const LatencyCounts counts = CountsAfter(balancer, 1);
  const auto others = counts.worker.mean() + counts.own.mean();
  EXPECT_GE(counts.total.mean(), others + milliseconds(100));
}

TEST(Latencies, CountEachRequestOfAConnection) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(std::string(kGet) + kGet + kGet);
  Peer worker = door.Accept();
  for (int i = 0; i < 3; ++i) {
    worker.ReadHead();
    worker.Send(kOk);
    client.ReadUntil("ok");
  }
  EXPECT_EQ(CountsAfter(balancer, 3).total.count(), 3u);
}

TEST(Latencies, LeaveOutWhatNoWorkerAnsweredWhole) {
  Door door;
  OneShard balancer({door.address()});
  {
    Peer client = balancer.Connect();
    client.Send("bad\r\n\r\n");
    EXPECT_TRUE(client.ReadToEnd().starts_with("HTTP/1.1 400 "));
  }
  {
    Peer client = balancer.Connect();
    client.Send(kGet);
    Peer worker = door.Accept();
    worker.ReadHead();
    worker.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok");
    client.ReadUntil("ok");
    worker.Close();
    client.ReadToEnd();
  }
  {
    Peer client = balancer.Connect();
    client.Send(kGet);
    Peer worker = door.Accept();
    worker.ReadHead();
    worker.Send(kOk);
    client.ReadUntil("ok");
  }
  EXPECT_EQ(CountsAfter(balancer, 1).total.count(), 1u);
}

}  // namespace
}  // namespace gocomet::dataplane
