#include "common/http/framing.h"

#include <string>

#include <gtest/gtest.h>

namespace gocomet::http {
namespace {

Framing FrameRequest(const std::string& lines, const char* version = "1.1") {
  RequestHead head;
  const std::string bytes = std::string("POST / HTTP/") + version + "\r\n" + lines + "\r\n";
  const HeadResult result = ParseRequestHead(bytes, 0, HeadLimits{}, head);
  EXPECT_EQ(result.state, Parse::kDone) << lines;
  return RequestFraming(head);
}

Framing FrameAnswer(int status, const std::string& lines, const char* method = "GET") {
  ResponseHead head;
  const std::string bytes = "HTTP/1.1 " + std::to_string(status) + " X\r\n" + lines + "\r\n";
  EXPECT_EQ(ParseResponseHead(bytes, 0, HeadLimits{}, head).state, Parse::kDone);
  return ResponseFraming(head, method);
}

TEST(RequestFraming, HasNoBodyWithoutLengthAndCoding) {
  EXPECT_EQ(FrameRequest("").kind, BodyKind::kNone);
  EXPECT_EQ(FrameRequest("Content-Length: 0\r\n").kind, BodyKind::kNone);
}

TEST(RequestFraming, TakesALengthOrChunked) {
  const Framing length = FrameRequest("Content-Length: 0042\r\n");
  EXPECT_EQ(length.kind, BodyKind::kLength);
  EXPECT_EQ(length.length, 42u);
  EXPECT_EQ(FrameRequest("transfer-encoding: Chunked\r\n").kind, BodyKind::kChunked);
}

TEST(RequestFraming, RefusesEveryDoubtAboutTheEnd) {
  const struct {
    const char* lines;
    int status;
  } table[] = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", 400},
      {"Content-Length: 5, 5\r\n", 400},
      {"Content-Length: 5,6\r\n", 400},
      {"Content-Length:\r\n", 400},
      {"Content-Length: +5\r\n", 400},
      {"Content-Length: -5\r\n", 400},
      {"Content-Length: 0x5\r\n", 400},
      {"Content-Length: 5 5\r\n", 400},
      {"Content-Length: 5a\r\n", 400},
      {"Content-Length: 1e3\r\n", 400},
      {"Content-Length: 18446744073709551616\r\n", 400},
      {"Content-Length: 18446744073709551621\r\n", 400},
      {"Content-Length: 9223372036854775808\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400},
      {"Transfer-Encoding: chunked, chunked\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n", 501},
      {"Transfer-Encoding: chunked, identity\r\n", 501},
      {"Transfer-Encoding: identity\r\n", 501},
      {"Transfer-Encoding: xchunked\r\n", 501},
      {"Transfer-Encoding: chunked;q=1\r\n", 501},
      {"Transfer-Encoding: \"chunked\"\r\n", 501},
      {"Transfer-Encoding: ,chunked\r\n", 501},
      {"Transfer-Encoding:\r\n", 501},
  };
  for (const auto& refused : table) {
    const Framing framing = FrameRequest(refused.lines);
    EXPECT_FALSE(framing.ok) << refused.lines;
    EXPECT_EQ(framing.fault.status, refused.status) << refused.lines;
  }
  EXPECT_FALSE(FrameRequest("Transfer-Encoding: chunked\r\n", "1.0").ok);
}

TEST(ResponseFraming, EndsWithTheConnectionWhereNothingElseSaysSo) {
  EXPECT_EQ(FrameAnswer(200, "").kind, BodyKind::kUntilClose);
  EXPECT_EQ(FrameAnswer(200, "Content-Length: 3\r\n").kind, BodyKind::kLength);
  EXPECT_EQ(FrameAnswer(200, "Transfer-Encoding: chunked\r\n").kind, BodyKind::kChunked);
}

TEST(ResponseFraming, HasNoBodyForHead204304And1xx) {
  EXPECT_EQ(FrameAnswer(200, "Content-Length: 3\r\n", "HEAD").kind, BodyKind::kNone);
  EXPECT_EQ(FrameAnswer(200, "Transfer-Encoding: chunked\r\n", "HEAD").kind, BodyKind::kNone);
  for (const int status : {100, 103, 204, 304}) {
    EXPECT_EQ(FrameAnswer(status, "").kind, BodyKind::kNone) << status;
  }
  EXPECT_EQ(FrameAnswer(304, "Content-Length: 3\r\n").kind, BodyKind::kNone);
}

TEST(ResponseFraming, RefusesDoubtsWith502) {
  for (const std::string lines :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5, 5\r\n",
        "Content-Length: x\r\n", "Transfer-Encoding: gzip\r\n"}) {
    EXPECT_FALSE(FrameAnswer(200, lines).ok) << lines;
    EXPECT_EQ(FrameAnswer(200, lines).fault.status, 502) << lines;
  }
}

}  // namespace
}  // namespace gocomet::http
