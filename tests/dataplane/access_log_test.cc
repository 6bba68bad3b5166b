#include "dataplane/observe/access_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/dataplane/loopback.h"

namespace gocomet::dataplane {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

// A directory of its own for one test.
class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "access-log-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~AccessLogTest() override {
    log_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }

  // Starts a log with one lane.
  AccessLog::Lane& Open(const std::string& path) {
    auto opened = AccessLog::Open({.path = path}, [this](const std::string& complaint) {
      const std::lock_guard hold(mutex_);
      complaints_.push_back(complaint);
    });
    EXPECT_TRUE(opened.ok()) << opened.status();
    log_ = *std::move(opened);
    AccessLog::Lane& lane = log_->AddLane();
    log_->Start();
    return lane;
  }

  std::vector<std::string> complaints() {
    const std::lock_guard hold(mutex_);
    return complaints_;
  }

  std::string directory_;
  std::unique_ptr<AccessLog> log_;

 private:
  std::mutex mutex_;
  std::vector<std::string> complaints_;
};

void Tell(AccessLog::Lane& lane, int number) {
  lane.Tell({.bytes_in = static_cast<uint64_t>(number), .target = "/some/path/of/a/request"});
}

std::vector<json> LinesOf(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

std::string ContentOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST_F(AccessLogTest, HasALineForEachExchangeInOrderWhenItEnds) {
  AccessLog::Lane& lane = Open(PathOf("log"));
  for (int i = 0; i < 1000; ++i) Tell(lane, i);
  log_.reset();
  const std::vector<json> lines = LinesOf(ContentOf(PathOf("log")));
  ASSERT_EQ(lines.size(), 1000u);
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i]["bytes_in"], i);
}

TEST_F(AccessLogTest, IsWrittenWithoutBeingAskedFor) {
  AccessLog::Lane& lane = Open(PathOf("log"));
  Tell(lane, 1);
  EXPECT_TRUE(Eventually([this] { return log_->written() == 1; }));
  EXPECT_EQ(LinesOf(ContentOf(PathOf("log"))).size(), 1u);
}

TEST_F(AccessLogTest, TakesALineFromEachLane) {
  auto log = AccessLog::Open({.path = PathOf("log")}, [](const std::string&) {});
  ASSERT_TRUE(log.ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    AccessLog::Lane& lane = (*log)->AddLane();
    threads.emplace_back([&lane] {
      for (int n = 0; n < 500; ++n) Tell(lane, n);
    });
  }
  (*log)->Start();
  for (std::thread& thread : threads) thread.join();
  log->reset();
  EXPECT_EQ(LinesOf(ContentOf(PathOf("log"))).size(), 2000u);
}

TEST_F(AccessLogTest, IsAppendedToWhatIsThere) {
  std::ofstream(PathOf("log")) << "{\"earlier\":true}\n";
  Tell(Open(PathOf("log")), 1);
  log_.reset();
  EXPECT_EQ(LinesOf(ContentOf(PathOf("log"))).size(), 2u);
}

TEST_F(AccessLogTest, GoesOnInANewFileOnceItsOldOneWasMoved) {
  AccessLog::Lane& lane = Open(PathOf("log"));
  Tell(lane, 1);
  ASSERT_TRUE(Eventually([this] { return log_->written() == 1; }));
  std::filesystem::rename(PathOf("log"), PathOf("log.1"));
  log_->Reopen();
  ASSERT_TRUE(Eventually([this] { return std::filesystem::exists(PathOf("log")); }));
  Tell(lane, 2);
  log_.reset();
  EXPECT_EQ(LinesOf(ContentOf(PathOf("log.1"))).size(), 1u);
  EXPECT_EQ(LinesOf(ContentOf(PathOf("log"))).size(), 1u);
}

TEST_F(AccessLogTest, KeepsItsFileWhereANewOneCannotBeMade) {
  std::filesystem::create_directory(PathOf("sub"));
  AccessLog::Lane& lane = Open(PathOf("sub/log"));
  std::filesystem::rename(PathOf("sub"), PathOf("moved"));
  log_->Reopen();
  ASSERT_TRUE(Eventually([this] { return !complaints().empty(); }));
  EXPECT_THAT(complaints()[0], HasSubstr("goes on with the file it had"));
  Tell(lane, 1);
  log_.reset();
  EXPECT_EQ(LinesOf(ContentOf(PathOf("moved/log"))).size(), 1u);
}

TEST_F(AccessLogTest, CountsWhatAFullDiskDoesNotTakeAndSaysSoOnce) {
  AccessLog::Lane& lane = Open("/dev/full");
  for (int i = 0; i < 100; ++i) Tell(lane, i);
  EXPECT_TRUE(Eventually([this] { return log_->dropped() == 100; }));
  Tell(lane, 100);
  EXPECT_TRUE(Eventually([this] { return log_->dropped() == 101; }));
  EXPECT_EQ(log_->written(), 0u);
  log_.reset();
  ASSERT_EQ(complaints().size(), 1u);
  EXPECT_THAT(complaints()[0], HasSubstr("/dev/full: No space left on device"));
}

TEST_F(AccessLogTest, NeverHoldsUpWhoTellsItAndSaysWhatIsMissing) {
  ASSERT_EQ(::mkfifo(PathOf("fifo").c_str(), 0600), 0);
  AccessLog::Lane& lane = Open(PathOf("fifo"));
  constexpr int kMany = 50'000;  // More than the pipe and the ring hold.
  auto slowest = steady_clock::duration::zero();
  for (int i = 0; i < kMany; ++i) {
    const auto before = steady_clock::now();
    Tell(lane, i);
    slowest = std::max(slowest, steady_clock::now() - before);
  }
  EXPECT_LT(slowest, milliseconds(500)) << "beside a machine that is busy";
  EXPECT_GT(log_->dropped(), 0u);

  // Somebody reads at last.
  UniqueFd reader(::open(PathOf("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string text;
  const auto read_more = [&] {
    char bytes[4096];
    ssize_t got = 0;
    while ((got = ::read(reader.get(), bytes, sizeof(bytes))) > 0) {
      text.append(bytes, static_cast<size_t>(got));
    }
  };
  EXPECT_TRUE(Eventually([&] {
    read_more();
    return log_->written() + log_->dropped() == kMany && text.ends_with('\n') &&
           text.find("\"dropped\":") != std::string::npos;
  }));
  log_.reset();
  read_more();
  uint64_t told = 0;
  uint64_t missing = 0;
  for (const json& line : LinesOf(text)) {
    if (line.contains("dropped")) {
      missing += line["dropped"].get<uint64_t>();
    } else {
      ++told;
    }
  }
  EXPECT_EQ(told + missing, kMany);
}

TEST_F(AccessLogTest, EndsThoughNobodyReads) {
  ASSERT_EQ(::mkfifo(PathOf("fifo").c_str(), 0600), 0);
  AccessLog::Lane& lane = Open(PathOf("fifo"));
  for (int i = 0; i < 2000; ++i) Tell(lane, i);
  log_.reset();
  ASSERT_EQ(complaints().size(), 1u);
  EXPECT_THAT(complaints()[0], HasSubstr("ends without its last lines"));
}

TEST_F(AccessLogTest, SaysWhyItCannotBeOpened) {
  const auto log = AccessLog::Open({.path = PathOf("none/log")}, nullptr);
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("none/log"));
}

}  // namespace
}  // namespace gocomet::dataplane
