#include "common/http/path_readings.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace gocomet::http {
namespace {

using Readings = std::set<std::string>;

Readings AllOf(std::string_view path) {
  const std::vector<std::string> readings = ReadingsOf(path);
  const Readings distinct(readings.begin(), readings.end());
  EXPECT_EQ(distinct.size(), readings.size()) << path;
  return distinct;
}

TEST(PathReadings, TellsPathsThatAllServersReadAlike) {
  for (const char* path : {"/", "/a", "/a/", "/a/b.c", "/.well-known/x", "/...", "/a..", "/a/..b",
                           "/~u", "/a=b,c:d@e!$&'()*+", "/a|b"}) {
    EXPECT_TRUE(IsPlainPath(path)) << path;
    EXPECT_EQ(AllOf(path), Readings{path});
  }
  for (const char* path : {"", "*", "a", "//", "/a//b", "//a", "/.", "/..", "/a/..", "/a/./b",
                           "/a/../b", "/%61", "/a%2Fb", "/a\\b", "/a;b", "/a/;/b", "/%", "/a/.."}) {
    EXPECT_FALSE(IsPlainPath(path)) << path;
  }
}

TEST(PathReadings, DecodesWhatEncodesNothingSpecial) {
  EXPECT_EQ(AllOf("/%61%7E/caf%C3%A9%20b"), Readings{"/a~/caf\xc3\xa9 b"});
  EXPECT_EQ(AllOf("/100%"), Readings{"/100%"});
  EXPECT_EQ(AllOf("/%zz%4"), Readings{"/%zz%4"});
  EXPECT_EQ(AllOf("/%25"), Readings{"/%25"});
}

TEST(PathReadings, DecodesOnce) {
  EXPECT_EQ(AllOf("/%252e%252E/%252Fa"), Readings{"/%252e%252E/%252Fa"});
}

TEST(PathReadings, KnowsWhatServersMakeOfTheRest) {
  const struct {
    const char* path;
    Readings readings;
  } table[] = {
      {"//a", {"//a", "/a"}},
      {"/a//b", {"/a//b", "/a/b"}},
      {"/a//", {"/a//", "/a/"}},
      {"/a/./b", {"/a/./b", "/a/b"}},
      {"/a/../b", {"/a/../b", "/b"}},
      {"/../b", {"/../b", "/b"}},
      {"/a/..", {"/a/..", "/"}},
      {"/a/b/..", {"/a/b/..", "/a/"}},
      {"/a/.", {"/a/.", "/a/"}},
      {"/a/%2e%2E/b", {"/a/../b", "/b"}},
      {"/a/.%2e/b", {"/a/../b", "/b"}},
      {"/a%2Fb", {"/a%2Fb", "/a/b"}},
      {"/a%2fb", {"/a%2Fb", "/a/b"}},
      {"/a\\b", {"/a\\b", "/a/b"}},
      {"/a%5Cb", {"/a\\b", "/a/b"}},
      {"/a/..%2fb", {"/a/..%2Fb", "/a/../b", "/b"}},
      {"/a/..\\b", {"/a/..\\b", "/a/../b", "/b"}},
      {"/a;x=1/b", {"/a;x=1/b", "/a/b"}},
      {"/a%3Bx/b", {"/a;x/b", "/a/b"}},
      {"/a/..;/b", {"/a/..;/b", "/a/../b", "/b"}},
      {"/a/..;x/b", {"/a/..;x/b", "/a/../b", "/b"}},
      {"/a/;/b", {"/a/;/b", "/a//b", "/a/b"}},
      {"/a//../b", {"/a//../b", "/a/b", "/a/../b", "/b"}},
      // A server that resolves only what is not encoded, and one that does so before the other.
      {"/a/../b/%2e%2e/c", {"/a/../b/../c", "/b/../c", "/c"}},
      {"/x/%2e%2e/../y", {"/x/../../y", "/x/y", "/y"}},
      // Parameters up to the next slash, of which an encoded one is none yet.
      {"/a;%2f../b", {"/a;%2F../b", "/a/b", "/a;/../b", "/b", "/a/../b"}},
  };
  for (const auto& row : table) EXPECT_EQ(AllOf(row.path), row.readings) << row.path;
}

TEST(PathReadings, BeginsWithTheReadingThatRemovesNothing) {
  EXPECT_EQ(ReadingsOf("/a/..;x//%2fb%41").front(), "/a/..;x//%2FbA");
}

// --- Servers in few lines, one as each kind is described, to compare with.

std::string DecodeAll(std::string_view path) {
  std::string decoded;
  for (size_t at = 0; at < path.size(); ++at) {
    unsigned code = 0;
    if (path[at] == '%' && std::sscanf(std::string(path.substr(at + 1, 2)).c_str(), "%2x", &code)) {
      decoded.push_back(static_cast<char>(code));
      at += 2;
    } else {
      decoded.push_back(path[at]);
    }
  }
  return decoded;
}

// RFC 3986, 5.2.4, as it stands there.
std::string RemoveDotSegments(std::string in) {
  std::string out;
  const auto drop_last = [&out] { out.erase(out.empty() ? 0 : out.rfind('/')); };
  while (!in.empty()) {
    if (in.starts_with("/./")) {
      in.erase(0, 2);
    } else if (in == "/.") {
      in = "/";
    } else if (in.starts_with("/../")) {
      in.erase(0, 3);
      drop_last();
    } else if (in == "/..") {
      in = "/";
      drop_last();
    } else {
      const size_t next = in.find('/', 1);
      out += in.substr(0, next);
      in.erase(0, next);
    }
  }
  return out;
}

std::string Merged(const std::string& path) {
  std::string merged;
  for (const char c : path) {
    if (c != '/' || !merged.ends_with('/')) merged.push_back(c);
  }
  return merged;
}

// nginx: decodes, merges slashes, resolves dots; `;` and `\` are nothing to it.
std::string AsNginx(const std::string& path) { return RemoveDotSegments(Merged(DecodeAll(path))); }

// Tomcat: drops parameters, decodes, takes `\` for `/`, merges, resolves.
std::string AsTomcat(const std::string& path) {
  std::string without;
  bool in_parameters = false;
  for (const char c : path) {
    in_parameters = c == ';' || (in_parameters && c != '/');
    if (!in_parameters) without.push_back(c);
  }
  std::string decoded = DecodeAll(without);
  std::replace(decoded.begin(), decoded.end(), '\\', '/');
  return RemoveDotSegments(Merged(decoded));
}

// RFC 3986, 6.2.2 as far as it goes.
std::string AsRfc(std::string path) {
  for (const char* dot : {"%2e", "%2E"}) {
    for (size_t at = path.find(dot); at != std::string::npos; at = path.find(dot)) {
      path.replace(at, 3, ".");
    }
  }
  return RemoveDotSegments(path);
}

void ForEachPath(size_t pieces_max, const std::function<void(const std::string&)>& visit) {
  static const char* const kPieces[] = {"/", "a", "b", ".", "..", "%2e", ";", "\\"};
  std::vector<std::string> paths = {"/"};
  for (size_t pieces = 0; pieces <= pieces_max; ++pieces) {
    std::vector<std::string> longer;
    for (const std::string& path : paths) {
      visit(path);
      for (const char* piece : kPieces) longer.push_back(path + piece);
    }
    paths = std::move(longer);
  }
}

TEST(PathReadings, HoldWhatEachKnownServerReads) {
  ForEachPath(5, [](const std::string& path) {
    const Readings readings = AllOf(path);
    for (const auto& server : {AsNginx(path), AsTomcat(path)}) {
      ASSERT_TRUE(readings.contains(server)) << path << " is read as " << server;
    }
    ASSERT_TRUE(readings.contains(AsRfc(path))) << path << " is read as " << AsRfc(path);
    if (IsPlainPath(path)) {
      ASSERT_EQ(readings, Readings{path});
    }
    ASSERT_LE(readings.size(), 48u);
  });
}

}  // namespace
}  // namespace gocomet::http
