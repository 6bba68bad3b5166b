#include "ctl/output/display_width.h"

#include <gtest/gtest.h>

namespace gocomet::ctl {
namespace {

TEST(DisplayWidth, CountsColumnsRatherThanBytes) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("worker-0"), 8U);
  EXPECT_EQ(DisplayWidth("größe"), 5U);
  EXPECT_EQ(DisplayWidth("日本"), 4U) << "East Asian wide characters take two columns";
  EXPECT_EQ(DisplayWidth("🚀"), 2U);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1U) << "a combining mark takes none";
  EXPECT_EQ(DisplayWidth("a\xFF\xFE"), 3U) << "a byte that is not UTF-8 takes one";
}

TEST(IsUtf8, RefusesWhatTheStandardCallsIllFormed) {
  EXPECT_TRUE(IsUtf8("plain, größe, 日本, 🚀, \uFFFD"));
  for (const char* text : {"\xFF", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                           "\xF0\x80\x80\x80", "\xE6\x97", "\x80"}) {
    EXPECT_FALSE(IsUtf8(text)) << testing::PrintToString(std::string(text));
  }
}

TEST(OneLine, LeavesWordsOfEveryLanguageAlone) {
  for (const char* text : {"", "worker-0", "größe, 日本, 🚀", "e\u0301"}) {
    EXPECT_EQ(OneLine(text), text);
  }
}

TEST(OneLine, TakesAwayPowerOverTheTerminal) {
  EXPECT_EQ(OneLine("a\x1B[2Jb"), "a [2Jb");
  EXPECT_EQ(OneLine("a\r\n\tb\x7F"), "a   b ");
  EXPECT_EQ(OneLine("a\u009B2Jb"), "a 2Jb") << "C1 holds a control sequence introducer too";
  EXPECT_EQ(OneLine("a\u202Eb\u2066c\u2028d"), "a b c d") << "no text may reorder its line";
  EXPECT_EQ(OneLine(std::string_view("a\0b", 3)), "a b");
}

TEST(OneLine, ShowsABadByteAsTheReplacementCharacter) {
  EXPECT_EQ(OneLine("a\x9B"
                    "2J"),
            "a\uFFFD"
            "2J")
      << "some terminals take a bare 0x9B for CSI";
  EXPECT_EQ(OneLine("\xE6\x97"), "\uFFFD\uFFFD");
}

TEST(CleanLines, KeepsLineEndsAndTabsAlone) {
  EXPECT_EQ(CleanLines("a: 1\n\tb\x1B[0m\r\n"), "a: 1\n\tb [0m \n");
}

}  // namespace
}  // namespace gocomet::ctl
