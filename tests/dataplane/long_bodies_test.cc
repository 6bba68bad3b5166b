#include <unistd.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// Bodies that go from socket to socket within the kernel, where they are long enough.
namespace gocomet::dataplane {
namespace {

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string HeadOf(size_t body_bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

std::string RandomBytes(size_t bytes) {
  std::mt19937_64 random(bytes);
  std::string text(bytes, ' ');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// Once for each kind of socket to the worker.
class LongBodies : public ::testing::TestWithParam<bool> {
 protected:
  static Door MakeDoor() {
    if (!GetParam()) return {};
    static int number = 0;
    return Door(::testing::TempDir() + "long-bodies-" + std::to_string(::getpid()) + "-" +
                std::to_string(number++) + ".sock");
  }
  Door door_ = MakeDoor();
  OneShard balancer_{{door_.address()}};
  Peer client_ = balancer_.Connect();
};
INSTANTIATE_TEST_SUITE_P(Over, LongBodies, ::testing::Bool(),
                         [](const auto& over) { return over.param ? "UnixSocket" : "Tcp"; });

TEST_P(LongBodies, ArriveByteForByteAndLeaveTheConnectionsInUse) {
  Peer worker;
  for (const size_t bytes : {100'000U, 3'000'001U, 131'072U, 7'340'033U}) {
    client_.Send(kGet);
    if (!worker.valid()) worker = door_.Accept();
    worker.ReadHead();
    const std::string body = RandomBytes(bytes);
    std::thread sender([&] { worker.Send(HeadOf(bytes) + body); });
    client_.ReadHead();
    EXPECT_EQ(client_.ReadExactly(bytes), body);
    sender.join();
    client_.Send(kGet);
    worker.ReadHead();
    worker.Send(kOk);
    EXPECT_EQ(client_.ReadUntil("ok"), kOk);
  }
}

TEST_P(LongBodies, PoisonTheirConnectionWhereTheWorkerSaysMoreThanItsAnswer) {
  // Whether the surplus comes in the pipe's last part, or in a buffer that the answer fills.
  for (const size_t bytes : {1'000'000UL, 16 * 1024 - HeadOf(16'000).size()}) {
    client_.Send(kGet);
    Peer worker = door_.Accept();
    worker.ReadHead();
    std::thread sender([&] { worker.Send(HeadOf(bytes) + std::string(bytes, 'x') + kOk); });
    client_.ReadHead();
    EXPECT_EQ(client_.ReadExactly(bytes), std::string(bytes, 'x'));
    sender.join();
    EXPECT_TRUE(worker.Ends()) << bytes;
  }
}

TEST_P(LongBodies, DoNotWaitForMoreThanTheWorkerHasSaid) {
  client_.Send(kGet);
  Peer worker = door_.Accept();
  worker.ReadHead();
  worker.Send(HeadOf(1'000'000));
  client_.ReadHead();
  for (int i = 0; i < 20; ++i) {
    worker.Send("a few bytes");
    EXPECT_EQ(client_.ReadExactly(11), "a few bytes");
  }
}

TEST_P(LongBodies, AreCutOffForTheClientWhereTheWorkerDies) {
  client_.Send(kGet);
  Peer worker = door_.Accept();
  worker.ReadHead();
  worker.Send(HeadOf(1'000'000) + std::string(300'000, 'x'));
  client_.ReadHead();
  client_.ReadExactly(300'000);
  worker.Close();
  EXPECT_TRUE(client_.Ends());
}

TEST_P(LongBodies, AreCutOffForTheWorkerWhereTheClientIsGone) {
  client_.Send(kGet);
  Peer worker = door_.Accept();
  worker.ReadHead();
  worker.Send(HeadOf(100 << 20));
  client_.ReadHead();
  client_.CloseWithReset();
  worker.SendWhatFits(std::string(1 << 20, 'x'));
  EXPECT_TRUE(worker.Ends());
}

TEST_P(LongBodies, DoNotHoldUpOtherRequests) {
  client_.Send(kGet);
  Peer worker = door_.Accept();
  worker.ReadHead();
  constexpr size_t kBytes = 256 << 20;
  std::atomic<bool> enough_received{false};
  std::atomic<bool> enough_sent{false};
  std::thread sender([&] {
    worker.Send(HeadOf(kBytes));
    const std::string part(1 << 20, 'x');
    for (size_t sent = 0; sent < kBytes && !enough_sent;) {
      sent += worker.SendWhatFits(std::string_view(part).substr(0, kBytes - sent));
    }
  });
  std::atomic<size_t> received{0};
  std::thread receiver([&] {
    client_.ReadHead();
    for (; received < kBytes && !enough_received; received += 1 << 20) client_.ReadExactly(1 << 20);
  });
  Peer other = balancer_.Connect();
  Peer other_worker;
  EXPECT_TRUE(Eventually([&] { return received > 0; }));
  for (int i = 0; i < 10; ++i) {
    other.Send(kGet);
    if (!other_worker.valid()) other_worker = door_.Accept();
    other_worker.ReadHead();
    other_worker.Send(kOk);
    EXPECT_EQ(other.ReadUntil("ok"), kOk);
  }
  EXPECT_LT(received, kBytes) << "the long body is still on its way";
  enough_received = true;
  receiver.join();
  enough_sent = true;
  sender.join();
}

}  // namespace
}  // namespace gocomet::dataplane
