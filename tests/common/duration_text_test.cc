#include "common/base/duration_text.h"

#include <gtest/gtest.h>

namespace gocomet {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(ParseDuration, ReadsEachUnitAndSumsOfThem) {
  EXPECT_EQ(*ParseDuration("0"), microseconds(0));
  EXPECT_EQ(*ParseDuration("7us"), microseconds(7));
  EXPECT_EQ(*ParseDuration("500ms"), microseconds(500'000));
  EXPECT_EQ(*ParseDuration("5s"), seconds(5));
  EXPECT_EQ(*ParseDuration("1m30s"), seconds(90));
  EXPECT_EQ(*ParseDuration("2h"), seconds(7200));
}

TEST(ParseDuration, RefusesNumbersWithoutUnitSignsAndNonsense) {
  for (const char* text : {"", "5", "-5s", "+5s", "s", "5 s", "5sec", "1.5s", "4294967296s",
                           "4294967295h4294967295h", "5s5"}) {
    EXPECT_EQ(ParseDuration(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(FormatDuration, IsReadBackToTheSameValue) {
  for (const int64_t value :
       std::initializer_list<int64_t>{0, 1, 999, 1'000, 1'500, 90'000'000, 3'661'001'001}) {
    const microseconds duration(value);
    EXPECT_EQ(*ParseDuration(FormatDuration(duration)), duration) << FormatDuration(duration);
  }
}

TEST(FormatAge, ShowsAtMostTwoUnits) {
  EXPECT_EQ(FormatAge(seconds(-1)), "0s");
  EXPECT_EQ(FormatAge(seconds(59)), "59s");
  EXPECT_EQ(FormatAge(seconds(200)), "3m20s");
  EXPECT_EQ(FormatAge(seconds(8040)), "2h14m");
  EXPECT_EQ(FormatAge(seconds(90'000)), "1d1h");
}

}  // namespace
}  // namespace gocomet
