#include "ctl/views/words.h"

#include <gtest/gtest.h>

#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/workers.pb.h"

namespace gocomet::ctl {
namespace {

const WallTime kNow{std::chrono::seconds(1'800'000'000)};

google::protobuf::Timestamp At(int64_t seconds) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  return time;
}

TEST(WordOf, ReadsAsDocumentationSpellsIt) {
  EXPECT_EQ(WordOf(v1::WORKER_STATE_READY), "Ready");
  EXPECT_EQ(WordOf(v1::WORKER_STATE_BACK_OFF), "BackOff");
  EXPECT_EQ(WordOf(v1::BALANCER_STATE_DISCONNECTED), "Disconnected");
  EXPECT_EQ(WordOf(v1::SEVERITY_WARNING), "Warning");
  EXPECT_EQ(RuntimeWord(v1::RUNTIME_DOCKER), "docker") << "as in config.yaml";
}

TEST(WordOf, SaysTheNumberOfAStateFromANewerControlPlane) {
  EXPECT_EQ(WordOf(static_cast<v1::WorkerState>(99)), "Unknown(99)");
}

TEST(Age, HasAtMostTwoUnits) {
  EXPECT_EQ(Age(At(1'799'999'999), kNow), "1s");
  EXPECT_EQ(Age(At(1'799'999'800), kNow), "3m20s");
  EXPECT_EQ(Age(At(1'799'900'000), kNow), "1d3h");
}

TEST(Age, OfAClockThatRunsAheadIsNothing) { EXPECT_EQ(Age(At(1'800'000'005), kNow), "0s"); }

TEST(Age, OfATimeThatIsNotSetIsEmpty) {
  EXPECT_EQ(Age({}, kNow), "");
  EXPECT_EQ(Until({}, kNow), "");
  EXPECT_EQ(TimeText({}), "");
}

TEST(Until, CountsDown) { EXPECT_EQ(Until(At(1'800'000'005), kNow), "5s"); }

TEST(TimeText, IsRfc3339InUtc) { EXPECT_EQ(TimeText(At(1'800'000'000)), "2027-01-15T08:00:00Z"); }

TEST(DurationText, ReadsAsInTheConfig) {
  google::protobuf::Duration duration;
  duration.set_seconds(1);
  duration.set_nanos(500'000'000);
  EXPECT_EQ(DurationText(duration), "1s500ms");
}

TEST(Numbers, ReadAsPeopleWriteThem) {
  EXPECT_EQ(Milliseconds(498.24), "498.2ms");
  EXPECT_EQ(Percent(27, 250), "10.8%");
  EXPECT_EQ(Percent(0, 0), "0.0%");
  EXPECT_EQ(Count(1, "worker"), "1 worker");
  EXPECT_EQ(Count(0, "worker"), "0 workers");
  EXPECT_EQ(YesNo(true), "yes");
}

}  // namespace
}  // namespace gocomet::ctl
