#include "common/http/host_pattern.h"

#include <string>

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet::http {
namespace {

TEST(NameOfHost, LeavesOutThePortAndTheDotAtTheEnd) {
  const struct {
    const char* host;
    const char* name;
  } table[] = {
      {"", ""},
      {"example.org", "example.org"},
      {"example.org:80", "example.org"},
      {"example.org:", "example.org"},
      {"example.org.", "example.org"},
      {"example.org.:8080", "example.org"},
      {":80", ""},
      {"192.0.2.1:80", "192.0.2.1"},
      {"[::1]", "[::1]"},
      {"[::1]:8080", "[::1]"},
      {".", ""},
  };
  for (const auto& row : table) EXPECT_EQ(NameOfHost(row.host), row.name) << row.host;
}

TEST(HostPattern, TakesHostsByWholeNamesWithoutCase) {
  const struct {
    const char* pattern;
    const char* host;
    bool takes;
  } table[] = {
      {"", "example.org", true},
      {"", "", true},
      {"example.org", "example.org", true},
      {"example.org", "EXAMPLE.org", true},
      {"Example.ORG", "example.org", true},
      {"example.org", "example.org:8080", true},
      {"example.org", "example.org.", true},
      {"example.org.", "example.org", true},
      {"example.org", "", false},
      {"example.org", "a.example.org", false},
      {"example.org", "aexample.org", false},
      {"example.org", "example.org.evil", false},
      {"example.org", "example.or", false},
      {"*.example.org", "a.example.org", true},
      {"*.example.org", "A.B.Example.Org:80", true},
      {"*.EXAMPLE.org", "a.example.org.", true},
      {"*.example.org", "example.org", false},
      {"*.example.org", ".example.org", false},
      {"*.example.org", "aexample.org", false},
      {"*.example.org", "a.example.org.evil", false},
      {"*.example.org", "", false},
      {"*.org", "a.org", true},
      {"192.0.2.1", "192.0.2.1:80", true},
      {"192.0.2.1", "192.0.2.10", false},
      {"[::1]", "[::1]:80", true},
      {"[2001:DB8::1]", "[2001:db8::1]", true},
      {"[::1]", "[0:0:0:0:0:0:0:1]", false},
  };
  for (const auto& row : table) {
    const auto pattern = HostPattern::Parse(row.pattern);
    ASSERT_TRUE(pattern.ok()) << pattern.status();
    EXPECT_EQ(pattern->Takes(NameOfHost(row.host)), row.takes) << row.pattern << " " << row.host;
  }
}

TEST(HostPattern, SaysWhatIsWrongWithAPattern) {
  const struct {
    const char* text;
    const char* why;
  } table[] = {
      {"example.org:80", "has a port"},
      {"[::1]:80", "is no address in brackets alone"},
      {"*", "has a `*` that does not stand alone"},
      {"a.*.org", "has a `*` that does not stand alone"},
      {"*a.org", "has a `*` that does not stand alone"},
      {"*.*.org", "has a `*` that does not stand alone"},
      {"*.", "is no name or address"},
      {".", "is no name or address"},
      {".example.org", "is no name or address"},
      {"*..example.org", "is no name or address"},
      {"a..b", "is no name or address"},
      {"a b", "is no name or address"},
      {"a/b", "is no name or address"},
      {"a,b", "is no name or address"},
      {"%61.org", "has a `%`"},
      {"*.[::1]", "is no address in brackets alone"},
      {"[::1", "is no address in brackets alone"},
      {"b\xc3\xbc"
       "cher.example",
       "is no name or address"},
  };
  for (const auto& row : table) {
    const auto pattern = HostPattern::Parse(row.text);
    ASSERT_FALSE(pattern.ok()) << row.text;
    EXPECT_NE(MessageOf(pattern.status()).find(row.why), std::string_view::npos)
        << pattern.status();
  }
}

TEST(HostPattern, IsWrittenAsItIsCompared) {
  for (const std::string text : {"", "example.org", "*.example.org", "[::1]"}) {
    EXPECT_EQ(HostPattern::Parse(text)->ToString(), text);
  }
  EXPECT_EQ(HostPattern::Parse("*.Example.org.")->ToString(), "*.example.org");
}

}  // namespace
}  // namespace gocomet::http
