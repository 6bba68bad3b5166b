#include "dataplane/proxy/upstream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "tests/dataplane/loopback.h"

// Connections to workers, without a shard that uses them.
namespace gocomet::dataplane {
namespace {

using std::chrono::seconds;

class Upstreams : public ::testing::Test {
 protected:
  // One that is kept in the pool from `now` on; gives the worker's side.
  Peer Keep(TimerWheel::Time now) {
    pool_.Put(Upstream::Connect(base_.get(), endpoint_), now);
    return door_.Accept();
  }

  const std::unique_ptr<event_base, decltype(&event_base_free)> base_{event_base_new(),
                                                                      &event_base_free};
  Door door_;
  const EndpointPointer endpoint_ = std::make_shared<Endpoint>("worker", 1, door_.address());
  UpstreamPool pool_;
  const TimerWheel::Time start_{seconds(1000)};
};

TEST_F(Upstreams, AreClosedOnceTheyAreIdleForTooLong) {
  Peer oldest = Keep(start_);
  Peer older = Keep(start_ + seconds(1));
  Peer newest = Keep(start_ + seconds(2));
  EXPECT_EQ(pool_.CloseIdleSince(start_ - seconds(1)), start_) << "nothing is due before";
  EXPECT_EQ(pool_.CloseIdleSince(start_ + seconds(1)), start_ + seconds(2));
  EXPECT_TRUE(oldest.Ends());
  EXPECT_TRUE(older.Ends());
  EXPECT_NE(pool_.Take(endpoint_), nullptr);
  EXPECT_EQ(pool_.Take(endpoint_), nullptr);
  EXPECT_EQ(pool_.CloseIdleSince(start_ + seconds(9)), std::nullopt) << "none is left";
}

TEST_F(Upstreams, AreUsedFromTheNewestToTheOldest) {
  Peer older = Keep(start_);
  Peer newer = Keep(start_ + seconds(1));
  pool_.Take(endpoint_).reset();
  EXPECT_TRUE(newer.Ends());
  EXPECT_EQ(pool_.CloseIdleSince(start_ - seconds(1)), start_) << "the older one is there yet";
}

TEST_F(Upstreams, AreNotRefusedByTheWorkerWhereTheLoopCannotWatchThem) {
  // The loop's epoll descriptor becomes another file's, so that nothing can be added.
  int epoll = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry, error) != "anon_inode:[eventpoll]") continue;
    epoll = std::max(epoll, std::stoi(entry.path().filename()));
  }
  ASSERT_GE(epoll, 0) << "libevent uses epoll";
  const UniqueFd other(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::dup2(other.get(), epoll), epoll);
  errno = 0;
  EXPECT_EQ(Upstream::Connect(base_.get(), endpoint_), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

}  // namespace
}  // namespace gocomet::dataplane
