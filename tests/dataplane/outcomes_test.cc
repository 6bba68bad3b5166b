#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// What requests meet at workers, and what of that the director is told.
namespace gocomet::dataplane {
namespace {

constexpr char kPost[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

// A POST that its worker takes, and answers with `answer` before it closes.
std::string Post(OneShard& balancer, Door& door, const std::string& answer) {
  Peer client = balancer.Connect();
  client.Send(kPost);
  Peer worker = door.Accept();
  worker.ReadUntil("body");
  if (!answer.empty()) worker.Send(answer);
  worker.Close();
  return answer == kOk ? client.ReadUntil("ok") : client.ReadToEnd();
}

TEST(Outcomes, TellsOnceOfAWorkerThatBreaksItsConnections) {
  static_assert(OneShard::kFailuresToTell == 3);
  Door door;
  OneShard balancer({door.address()});
  for (int i = 0; i < 2; ++i) Post(balancer, door, "");
  EXPECT_EQ(balancer.times_failing(), 0);
  for (int i = 0; i < 4; ++i) Post(balancer, door, "");
  EXPECT_EQ(balancer.times_failing(), 1);
  EXPECT_EQ(balancer.endpoint(0).counters->resets, 6u);
}

TEST(Outcomes, CountsAnAnswerThatBreaksOffAsAFailureToo) {
  Door door;
  OneShard balancer({door.address()});
  for (int i = 0; i < 3; ++i)
    Post(balancer, door, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  EXPECT_TRUE(Eventually([&] { return balancer.times_failing() == 1; }));
}

TEST(Outcomes, ForgetsFailuresOnceARequestIsAnsweredWhole) {
  Door door;
  OneShard balancer({door.address()});
  for (int round = 0; round < 3; ++round) {
    Post(balancer, door, "");
    Post(balancer, door, "");
    Post(balancer, door, kOk);
    EXPECT_TRUE(Eventually([&] { return balancer.endpoint(0).failures_in_row == 0; }));
  }
  EXPECT_EQ(balancer.times_failing(), 0);
}

TEST(Outcomes, TellsOnceThatAWorkerRefuses) {
  Door door;
  OneShard balancer({RefusingAddress(), door.address()});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Post(balancer, door, kOk).ends_with("ok"));
  EXPECT_EQ(balancer.refusals(), 1);
  EXPECT_EQ(balancer.endpoint(0).counters->connect_errors, 1u)
      << "later requests need not find out too";
}

TEST(Outcomes, GivesARefusedRequestToAWorkerWhoseConnectionIsIdle) {
  constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  constexpr std::string_view kStay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  Door doors[2];
  OneShard balancer({doors[0].address(), doors[1].address()});
  Peer client = balancer.Connect();
  Peer workers[2];
  for (int i = 0; i < 2; ++i) {
    client.Send(kGet);
    workers[i] = doors[i].Accept();
    workers[i].ReadHead();
    workers[i].Send(kStay);
    client.ReadUntil("ok");
  }
  doors[0].Close();
  workers[0].Close();
  client.Send(kGet);
  workers[1].ReadHead();
  workers[1].Send(kStay);
  EXPECT_EQ(client.ReadUntil("ok"), kStay);
}

TEST(Outcomes, TakesAFullQueueOfConnectionsForLoadAndNotForARefusal) {
  char directory[] = "/tmp/gocomet-outcomes-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/worker";
  const Address full = *Address::Parse("unix:" + path);
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(listener.get(), full.socket_address(), full.socket_address_length()), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  std::vector<UniqueFd> queue;
  do {
    queue.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  } while (::connect(queue.back().get(), full.socket_address(), full.socket_address_length()) == 0);

  Door door;
  OneShard balancer({full, door.address()});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Post(balancer, door, kOk).ends_with("ok"));
  EXPECT_EQ(balancer.refusals(), 0);
  EXPECT_FALSE(balancer.endpoint(0).refuses);
  EXPECT_GE(balancer.endpoint(0).failures_in_row, 1u);
  ::unlink(path.c_str());
  ::rmdir(directory);
}

}  // namespace
}  // namespace gocomet::dataplane
