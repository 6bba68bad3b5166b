#include "common/http/path_prefix.h"

#include <string>

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet::http {
namespace {

TEST(PathPrefix, TakesWholeSegments) {
  const struct {
    const char* prefix;
    const char* path;
    bool takes;
  } table[] = {
      {"/", "/", true},
      {"/", "/a/b", true},
      {"/api", "/api", true},
      {"/api", "/api/", true},
      {"/api", "/api/x/y", true},
      {"/api", "/apix", false},
      {"/api", "/API", false},
      {"/api", "/", false},
      {"/api", "/ap", false},
      {"/api", "/x/api", false},
      {"/api/", "/api", true},
      {"/api/", "/api/x", true},
      {"/api/", "/apix", false},
      {"/api/v1", "/api/v1/x", true},
      {"/api/v1", "/api/v10", false},
      {"/api/v1", "/api", false},
      {"/%61pi", "/api/x", true},
      {"/caf%C3%A9", "/caf\xc3\xa9/x", true},
      {"/a%25", "/a%25/x", true},
      {"/.well-known", "/.well-known/acme", true},
  };
  for (const auto& row : table) {
    const auto prefix = PathPrefix::Parse(row.prefix);
    ASSERT_TRUE(prefix.ok()) << prefix.status();
    EXPECT_EQ(prefix->Takes(row.path), row.takes) << row.prefix << " " << row.path;
  }
  EXPECT_TRUE(PathPrefix::Parse("/")->takes_any());
  EXPECT_FALSE(PathPrefix::Parse("/a")->takes_any());
}

TEST(PathPrefix, SaysWhatIsWrongWithAPrefix) {
  const struct {
    const char* text;
    const char* why;
  } table[] = {
      {"", "does not begin with a slash"},
      {"api", "does not begin with a slash"},
      {"*", "does not begin with a slash"},
      {"/a?b", "of the path alone"},
      {"/a#b", "of the path alone"},
      {"/a b", "percent-encode it"},
      {"/caf\xc3\xa9", "percent-encode it"},
      {"//", "not read alike"},
      {"/a//b", "not read alike"},
      {"/a/../b", "not read alike"},
      {"/a/%2e%2e", "not read alike"},
      {"/a/.", "not read alike"},
      {"/a;b", "not read alike"},
      {"/a%3Bb", "not read alike"},
      {"/a%2Fb", "not read alike"},
      {"/a\\b", "not read alike"},
  };
  for (const auto& row : table) {
    const auto prefix = PathPrefix::Parse(row.text);
    ASSERT_FALSE(prefix.ok()) << row.text;
    EXPECT_NE(MessageOf(prefix.status()).find(row.why), std::string_view::npos) << prefix.status();
  }
}

}  // namespace
}  // namespace gocomet::http
