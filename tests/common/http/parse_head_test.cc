#include "common/http/parse_head.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/common/http/guarded_bytes.h"

namespace gocomet::http {
namespace {

constexpr HeadLimits kLimits;
constexpr std::string_view kRequest =
    "POST /a/b?c=d HTTP/1.1\r\nHost: example.org\r\nX-Empty:\r\nX-Padded: \t v w \t\r\n\r\n";
constexpr std::string_view kAnswer =
    "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nx-a: b\r\n\r\n";

HeadResult ParseRequest(std::string_view bytes, RequestHead& head) {
  return ParseRequestHead(bytes, 0, kLimits, head);
}

TEST(ParseRequestHead, GivesTheLineAndTheFieldsWithoutWhiteSpaceAtTheirEnds) {
  RequestHead head;
  const HeadResult result = ParseRequest(kRequest, head);
  ASSERT_EQ(result.state, Parse::kDone) << result.fault.reason;
  EXPECT_EQ(result.consumed, kRequest.size());
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.minor_version, 1);
  ASSERT_EQ(head.fields.size(), 3u);
  EXPECT_EQ(head.fields.Find("HOST")->value, "example.org");
  EXPECT_EQ(head.fields.Find("x-empty")->value, "");
  EXPECT_EQ(head.fields.Find("x-padded")->value, "v w");
}

TEST(ParseRequestHead, AsksForMoreAtEveryCutAndReadsTheSameAfterwards) {
  for (size_t cut = 0; cut < kRequest.size(); ++cut) {
    RequestHead head;
    ASSERT_EQ(ParseRequest(kRequest.substr(0, cut), head).state, Parse::kMore) << "cut at " << cut;
    const HeadResult rest = ParseRequestHead(kRequest, cut, kLimits, head);
    ASSERT_EQ(rest.state, Parse::kDone) << "cut at " << cut << ": " << rest.fault.reason;
    EXPECT_EQ(rest.consumed, kRequest.size());
    EXPECT_EQ(head.fields.size(), 3u);
  }
}

TEST(ParseRequestHead, ReadsNothingPastTheEndWhereverThatIs) {
  GuardedBytes guarded;
  const std::string more = std::string(kRequest) + "more than sixteen bytes of another request";
  for (size_t size = 0; size <= more.size(); ++size) {
    RequestHead head;
    const HeadResult result = ParseRequest(guarded.AtBack(more.substr(0, size)), head);
    EXPECT_EQ(result.state, size < kRequest.size() ? Parse::kMore : Parse::kDone) << size;
  }
}

TEST(ParseRequestHead, TellsTheFirstFaultFromLeftToRightWhateverFollows) {
  const struct {
    std::string bytes;
    const char* reason;
  } table[] = {
      {"G@T / HTTP/1.1", "method_not_a_token"},
      {"GET /\x01", "target"},
      {"GET /\r", "request_line"},
      {"GET / HTTQ", "version"},
      {"GET / HTTP/3.0", "version_not_supported"},
      {"GET / HTTP/1.1\r\nX : a", "field_name_not_a_token"},
      {"GET / HTTP/1.1\r\nX: \x01", "control_character_in_field"},
      {"GET / HTTP/1.1\r\nX: a\n", "line_not_ended_by_crlf"},
      {"GET / HTTP/1.1\r\nX: a\r\n ", "folded_line"},
      {"GET / HTTP/1.1\r\nX\r", "field_without_colon"},
  };
  for (const auto& row : table) {
    RequestHead head;
    for (const std::string after : {"", "\r\n\r\n", "\n\n", "\x01 : \r\r\r\n\r\n"}) {
      const HeadResult result = ParseRequest(row.bytes + after, head);
      EXPECT_EQ(result.state, Parse::kBad) << row.bytes;
      EXPECT_STREQ(result.fault.reason, row.reason) << row.bytes;
    }
    const std::string whole = row.bytes + "\r\n\r\n";
    for (size_t cut = 1; cut < row.bytes.size(); ++cut) {
      const HeadResult result = ParseRequestHead(whole, cut, kLimits, head);
      EXPECT_STREQ(result.fault.reason, row.reason) << row.bytes << " cut at " << cut;
    }
  }
}

TEST(ParseRequestHead, LeavesWhatFollowsTheHead) {
  RequestHead head;
  const HeadResult result = ParseRequest(std::string(kRequest) + "body\r\n\r\n", head);
  EXPECT_EQ(result.state, Parse::kDone);
  EXPECT_EQ(result.consumed, kRequest.size());
}

TEST(ParseRequestHead, SkipsAFewEmptyLinesBeforeTheRequestLine) {
  RequestHead head;
  const std::string bytes = "\r\n\r\n" + std::string(kRequest);
  const HeadResult result = ParseRequest(bytes, head);
  ASSERT_EQ(result.state, Parse::kDone);
  EXPECT_EQ(result.consumed, bytes.size());
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(ParseRequest("\r\n\r\n\r\n\r\n\r\n", head).state, Parse::kBad);
}

struct Refused {
  const char* why;
  std::string bytes;
  int status;
};

std::string WithField(const std::string& line) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n";
}

TEST(ParseRequestHead, RefusesWhatIsNotTheGrammar) {
  const std::string nul(1, '\0');
  const Refused table[] = {
      {"a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"a bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"only bare LFs", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"a bare CR in the request line", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a bare CR in a field", WithField("X: a\rb"), 400},
      {"CR CR LF", WithField("X: a\r"), 400},
      {"NUL in a value", WithField("X: a" + nul + "b"), 400},
      {"NUL in a name", WithField("X" + nul + ": b"), 400},
      {"NUL in the target", "GET /" + nul + " HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a control character in a value", WithField("X: a\x01"), 400},
      {"DEL in a value", WithField("X: a\x7f"), 400},
      {"a space before the colon", WithField("X : a"), 400},
      {"a tab before the colon", WithField("X\t: a"), 400},
      {"a folded line", WithField("X: a\r\n b"), 400},
      {"a line folded with a tab", WithField("X: a\r\n\tb"), 400},
      {"a folded first field", "GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n", 400},
      {"no colon", WithField("X"), 400},
      {"no name", WithField(": a"), 400},
      {"a name with a slash", WithField("X/Y: a"), 400},
      {"a name with obs-text", WithField("X\xe9: a"), 400},
      {"two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"no version (HTTP/0.9)", "GET /\r\n\r\n", 400},
      {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"obs-text in the target", "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"a version with two digits", "GET / HTTP/1.11\r\nHost: a\r\n\r\n", 400},
      {"a version with a comma", "GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"HTTP/0.9 spelt out", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"a TLS hello", "\x16\x03\x01\x02\n\x01", 400},
  };
  for (const Refused& refused : table) {
    RequestHead head;
    const HeadResult result = ParseRequest(refused.bytes, head);
    EXPECT_EQ(result.state, Parse::kBad) << refused.why;
    EXPECT_EQ(result.fault.status, refused.status) << refused.why;
    EXPECT_STRNE(result.fault.reason, "") << refused.why;
  }
}

TEST(ParseRequestHead, NeverTakesAHeadWithAnyOneByteReplacedByAControlCharacter) {
  for (size_t at = 0; at < kRequest.size(); ++at) {
    for (const char wrong : {'\0', '\x01', '\x0b', '\x7f'}) {
      std::string bytes(kRequest);
      bytes[at] = wrong;
      RequestHead head;
      EXPECT_NE(ParseRequest(bytes, head).state, Parse::kDone)
          << "byte " << at << " replaced by " << static_cast<int>(wrong);
    }
  }
}

TEST(ParseRequestHead, KeepsTheLimitsOfHeadTargetAndFields) {
  RequestHead head;
  const HeadLimits limits{.head_bytes_max = 100, .target_bytes_max = 10};
  const std::string long_target = "GET /0123456789 HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(ParseRequestHead(long_target, 0, limits, head).fault.status, 414);
  const std::string long_head = WithField("X: " + std::string(100, 'x'));
  EXPECT_EQ(ParseRequestHead(long_head, 0, limits, head).fault.status, 431);
  const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(100, 'x');
  EXPECT_EQ(ParseRequestHead(endless, 0, limits, head).fault.status, 431);

  std::string many = "GET / HTTP/1.1\r\n";
  for (size_t i = 0; i < kFieldsMax; ++i) many += "a: b\r\n";
  EXPECT_EQ(ParseRequest(many + "\r\n", head).state, Parse::kDone);
  EXPECT_EQ(ParseRequest(many + "a: b\r\n\r\n", head).fault.status, 431);
}

TEST(ParseResponseHead, GivesStatusReasonAndFields) {
  ResponseHead head;
  const HeadResult result = ParseResponseHead(kAnswer, 0, kLimits, head);
  ASSERT_EQ(result.state, Parse::kDone);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not Found");
  EXPECT_EQ(head.fields.Find("Content-Length")->value, "5");
}

TEST(ParseResponseHead, AsksForMoreAtEveryCut) {
  for (size_t cut = 0; cut < kAnswer.size(); ++cut) {
    ResponseHead head;
    ASSERT_EQ(ParseResponseHead(kAnswer.substr(0, cut), 0, kLimits, head).state, Parse::kMore);
    ASSERT_EQ(ParseResponseHead(kAnswer, cut, kLimits, head).state, Parse::kDone) << cut;
  }
}

TEST(ParseResponseHead, TakesAnAnswerWithoutAReason) {
  for (const std::string line : {"HTTP/1.1 200", "HTTP/1.1 200 "}) {
    ResponseHead head;
    EXPECT_EQ(ParseResponseHead(line + "\r\n\r\n", 0, kLimits, head).state, Parse::kDone) << line;
    EXPECT_EQ(head.reason, "");
  }
}

TEST(ParseResponseHead, RefusesWhatIsNotTheGrammarWith502) {
  for (const std::string line :
       {"HTTP/2.0 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK",
        "HTTP/1.1  200 OK", "HTTP/1.1200 OK", "ICY 200 OK", "HTTP/1.1 200 a\x01", "",
        "HTTP/1.1 2a0 OK", "HTTP/1.1 200 OK\nX: a", "HTTP/1.1 200 OK\r\nX : a",
        "HTTP/1.1 200 OK\r\n X: a", "HTTP/1.1 -20 OK"}) {
    ResponseHead head;
    const HeadResult result = ParseResponseHead(line + "\r\n\r\n", 0, kLimits, head);
    EXPECT_EQ(result.state, Parse::kBad) << line;
    EXPECT_EQ(result.fault.status, 502) << line;
  }
}

TEST(Fields, FindsTokensInListsSpreadOverLines) {
  Fields fields;
  fields.Add("Connection", "close , Keep-Alive");
  fields.Add("connection", "x-own");
  EXPECT_TRUE(fields.ListHas(FieldId::kConnection, "keep-alive"));
  EXPECT_TRUE(fields.ListHas(FieldId::kConnection, "X-OWN"));
  EXPECT_FALSE(fields.ListHas(FieldId::kConnection, "alive"));
  EXPECT_EQ(fields.Count("CONNECTION"), 2u);
}

}  // namespace
}  // namespace gocomet::http
