#include "controlplane/runtime/log_tail.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "runtime_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LogTailTest : public ::testing::Test {
 protected:
  LogTail MustOpen(int lines, int* found = nullptr) {
    int ignored = 0;
    auto tail = LogTail::Open(path_, lines, found != nullptr ? found : &ignored);
    EXPECT_TRUE(tail.ok()) << tail.status();
    return *std::move(tail);
  }
  void Append(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  std::vector<std::string> Read(LogTail& tail) {
    std::vector<std::string> lines;
    while (tail.Read([&](std::string line) { lines.push_back(std::move(line)); })) {
    }
    return lines;
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("log", "");
};

TEST_F(LogTailTest, BeginsWithTheLastLines) {
  Append("one\ntwo\nthree\n");
  int found = 0;
  LogTail two = MustOpen(2, &found);
  EXPECT_EQ(found, 2);
  EXPECT_THAT(Read(two), ElementsAre("two", "three"));
  LogTail many = MustOpen(9, &found);
  EXPECT_EQ(found, 3);
  EXPECT_THAT(Read(many), ElementsAre("one", "two", "three"));
  LogTail all = MustOpen(-1);
  EXPECT_THAT(Read(all), SizeIs(3));
  LogTail none = MustOpen(0);
  EXPECT_THAT(Read(none), IsEmpty());
}

TEST_F(LogTailTest, ALineWithoutEndCountsAndComesWithItsEndOrWithFlush) {
  Append("one\ntw");
  int found = 0;
  LogTail tail = MustOpen(1, &found);
  EXPECT_EQ(found, 1);
  EXPECT_THAT(Read(tail), IsEmpty());
  Append("o\nthree");
  EXPECT_THAT(Read(tail), ElementsAre("two"));
  std::vector<std::string> rest;
  tail.Flush([&](std::string line) { rest.push_back(std::move(line)); });
  EXPECT_THAT(rest, ElementsAre("three"));
}

TEST_F(LogTailTest, FindsLinesFarBack) {
  for (int i = 0; i < 50'000; ++i) Append("line " + std::to_string(i) + "\n");
  LogTail tail = MustOpen(40'000);
  const std::vector<std::string> lines = Read(tail);
  ASSERT_EQ(lines.size(), 40'000u);
  EXPECT_EQ(lines.front(), "line 10000");
}

TEST_F(LogTailTest, AnEndlessLineComesInParts) {
  Append(std::string(LineSplitter::kLineBytesMax * 2 + 5, 'x') + "\n");
  LogTail tail = MustOpen(-1);
  const std::vector<std::string> lines = Read(tail);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].size(), LineSplitter::kLineBytesMax);
  EXPECT_EQ(lines[2].size(), 5u);
}

TEST_F(LogTailTest, ACutFileKeepsItsLastWholeLinesAndItsReaderItsPlace) {
  for (int i = 0; i < 1000; ++i) Append("line " + std::to_string(i) + "\n");
  LogTail tail = MustOpen(-1);
  EXPECT_THAT(Read(tail), SizeIs(1000));
  Append("new\n");
  const auto cut = CutLogFile(path_, 1000, 100);
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_GT(*cut, 8000u);
  tail.OnCut(*cut);
  EXPECT_THAT(Read(tail), ElementsAre("new"));
  LogTail again = MustOpen(-1);
  const std::vector<std::string> kept = Read(again);
  EXPECT_LE(kept.size(), 12u);
  EXPECT_EQ(kept.front().rfind("line ", 0), 0u);
  EXPECT_EQ(kept.back(), "new");
}

TEST_F(LogTailTest, AShortFileIsNotCut) {
  Append("one\n");
  EXPECT_EQ(*CutLogFile(path_, 1000, 100), 0u);
  EXPECT_EQ(*ReadFile(path_), "one\n");
}

TEST_F(LogTailTest, AMissingFileIsNotFound) {
  int lines = 0;
  EXPECT_TRUE(absl::IsNotFound(LogTail::Open("/nonexistent/log", 1, &lines).status()));
}

}  // namespace
}  // namespace gocomet::controlplane
