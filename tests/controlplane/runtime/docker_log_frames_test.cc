#include "controlplane/runtime/docker_log_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controlplane/runtime/docker_time.h"

namespace gocomet::controlplane {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Frame(int output, const std::string& text) {
  std::string frame(8, '\0');
  frame[0] = static_cast<char>(output);
  frame[6] = static_cast<char>(text.size() >> 8);
  frame[7] = static_cast<char>(text.size() & 255);
  return frame + text;
}

class DockerLogFramesTest : public ::testing::Test {
 protected:
  void MustTake(std::string_view bytes) {
    const absl::Status status = frames_.Add(bytes, line_);
    EXPECT_TRUE(status.ok()) << status;
  }

  DockerLogFrames frames_;
  std::vector<RuntimeLogLine> lines_;
  std::vector<std::string> texts_;
  const DockerLogFrames::OnLine line_ = [this](RuntimeLogLine line) {
    texts_.push_back((line.is_stderr ? "2:" : "1:") + line.text);
    lines_.push_back(std::move(line));
  };
};

TEST_F(DockerLogFramesTest, TellsTheOutputsApart) {
  MustTake(Frame(1, "out\n") + Frame(2, "err\n"));
  EXPECT_THAT(texts_, ElementsAre("1:out", "2:err"));
}

TEST_F(DockerLogFramesTest, TakesTheTimeOffEachLine) {
  MustTake(Frame(1, "2024-05-06T07:08:09.5Z hello world\n") + Frame(1, "no time\n"));
  EXPECT_THAT(texts_, ElementsAre("1:hello world", "1:no time"));
  ASSERT_TRUE(lines_[0].time.has_value());
  EXPECT_EQ(*lines_[0].time, *ParseDockerTime("2024-05-06T07:08:09.5Z"));
  EXPECT_FALSE(lines_[1].time.has_value());
}

TEST_F(DockerLogFramesTest, TheWayThatTheBytesAreCutChangesNothing) {
  const std::string all = Frame(1, "2024-05-06T07:08:09Z one\n") + Frame(2, "two\n") +
                          Frame(1, "\n") + Frame(1, "three\n");
  for (size_t first = 0; first <= all.size(); ++first) {
    for (size_t second = first; second <= all.size(); second += 7) {
      frames_ = {};
      texts_.clear();
      MustTake(all.substr(0, first));
      MustTake(all.substr(first, second - first));
      MustTake(all.substr(second));
      EXPECT_THAT(texts_, ElementsAre("1:one", "2:two", "1:", "1:three")) << first << " " << second;
    }
  }
}

TEST_F(DockerLogFramesTest, ALongLineInSeveralFramesIsOneLineAndHasTheFirstTime) {
  MustTake(Frame(1, "2024-05-06T07:08:09Z begin ") + Frame(2, "between\n") +
           Frame(1, "2024-05-06T07:08:10Z end\n"));
  EXPECT_THAT(texts_, ElementsAre("2:between", "1:begin end"));
  EXPECT_EQ(lines_[1].time, ParseDockerTime("2024-05-06T07:08:09Z"));
}

TEST_F(DockerLogFramesTest, ALineWithoutEndComesWithFlush) {
  MustTake(Frame(1, "unfinished"));
  EXPECT_THAT(texts_, IsEmpty());
  frames_.Flush(line_);
  frames_.Flush(line_);
  EXPECT_THAT(texts_, ElementsAre("1:unfinished"));
}

TEST_F(DockerLogFramesTest, ALineWithoutEndDoesNotGrowWithoutBound) {
  for (int i = 0; i < 40; ++i) MustTake(Frame(1, std::string(8000, 'x')));
  EXPECT_GE(texts_.size(), 3u);
  for (const std::string& text : texts_) EXPECT_LE(text.size(), 80'000u);
}

TEST_F(DockerLogFramesTest, RefusesWhatIsNoFrame) {
  for (const std::string& bytes :
       {std::string("plain text, not a frame"), std::string("\x03\0\0\0\0\0\0\0", 8),
        std::string("\x01\0\x01\0\0\0\0\0", 8), std::string("\x01\0\0\0\x7f\0\0\0", 8)}) {
    EXPECT_EQ(DockerLogFrames().Add(bytes, line_).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(DockerTime, ReadsTimesWithAndWithoutFractionsAndOffsets) {
  const WallTime second{std::chrono::seconds(1714979289)};
  EXPECT_EQ(ParseDockerTime("2024-05-06T07:08:09Z"), second);
  EXPECT_EQ(ParseDockerTime("2024-05-06T07:08:09.000000001Z"),
            second + std::chrono::nanoseconds(1));
  EXPECT_EQ(ParseDockerTime("2024-05-06T07:08:09.25Z"), second + std::chrono::milliseconds(250));
  EXPECT_EQ(ParseDockerTime("2024-05-06T09:38:09+02:30"), second);
  EXPECT_EQ(ParseDockerTime("2024-05-06T06:08:09-01:00"), second);
}

TEST(DockerTime, KnowsNeverAndNonsense) {
  for (const char* text :
       {"0001-01-01T00:00:00Z", "", "2024-05-06", "2024-02-30T00:00:00Z", "2024-05-06T24:00:00Z",
        "2024-05-06T07:08:09", "2024-05-06T07:08:09.Z", "2024-05-06 07:08:09Z",
        "2024-05-06T07:08:09Zz", "x024-05-06T07:08:09Z", "2024-13-06T07:08:09Z"}) {
    EXPECT_EQ(ParseDockerTime(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace gocomet::controlplane
