#include "common/http/target.h"

#include <string>

#include <gtest/gtest.h>

namespace gocomet::http {
namespace {

TEST(IsHost, TakesNamesAndAddressesWithAndWithoutPorts) {
  for (const std::string host :
       {"", "a", "example.org", "example.org:80", "a:", "127.0.0.1:5050", "[::1]", "[::1]:8080",
        "[fe80::1]", "[::ffff:192.0.2.1]:1", "xn--bcher-kva.example", "a_b", "a%20b", ":80"}) {
    EXPECT_TRUE(IsHost(host)) << host;
  }
}

TEST(IsHost, RefusesWhatTwoServersCouldReadInTwoWays) {
  for (const std::string host :
       {"a b",    "a,b",      "a/b", "a?b",  "a#b",       "u@a",  "a\\b", "a:80:80", "a:8a",
        "a:-1",   "a:123456", "::1", "[::1", "::1]",      "[]",   "[:",   "[::1]a",  "[::1]80",
        "[g::1]", "a[b]",     "a%2", "a%zz", "a\xc3\xa4", "a\"b", "<a>",  "a|b"}) {
    EXPECT_FALSE(IsHost(host)) << host;
  }
}

TEST(FormOf, TellsTheFormsOfATargetApart) {
  const struct {
    const char* method;
    const char* target;
    TargetForm form;
  } table[] = {
      {"GET", "/", TargetForm::kOrigin},
      {"GET", "//a//b", TargetForm::kOrigin},
      {"GET", "/http://b/", TargetForm::kOrigin},
      {"GET", "http://a", TargetForm::kAbsolute},
      {"GET", "HTTP://a:80/b?c", TargetForm::kAbsolute},
      {"GET", "http://a?b", TargetForm::kAbsolute},
      {"OPTIONS", "*", TargetForm::kAsterisk},
      {"GET", "*", TargetForm::kOther},
      {"OPTIONS", "*/", TargetForm::kOther},
      {"GET", "a", TargetForm::kOther},
      {"GET", "a:80", TargetForm::kOther},
      {"GET", "?q", TargetForm::kOther},
      {"GET", "http:/a", TargetForm::kOther},
      {"GET", "http:a", TargetForm::kOther},
      {"GET", "http:///a", TargetForm::kOther},
      {"GET", "http://:80/", TargetForm::kOther},
      {"GET", "http://u@a/", TargetForm::kOther},
      {"GET", "http://u:p@a/", TargetForm::kOther},
      {"GET", "http://a\\@b/", TargetForm::kOther},
      {"GET", "https://a/", TargetForm::kOther},
      {"GET", "ftp://a/", TargetForm::kOther},
  };
  for (const auto& row : table) {
    EXPECT_EQ(FormOf(row.method, row.target), row.form) << row.method << " " << row.target;
  }
}

}  // namespace
}  // namespace gocomet::http
