#include "common/http/body_scanner.h"

#include <string>

#include <gtest/gtest.h>

namespace gocomet::http {
namespace {

BodyScanner Chunked() { return BodyScanner(Framing{.kind = BodyKind::kChunked}); }

constexpr std::string_view kChunks =
    "5\r\nhello\r\nA;name=\"v\"\r\n0123456789\r\n000\r\nX-Trailer: t\r\n\r\n";

TEST(BodyScanner, EndsAfterTheLengthAndLeavesTheRest) {
  BodyScanner body(Framing{.kind = BodyKind::kLength, .length = 5});
  EXPECT_EQ(body.Scan("hel"), 3u);
  EXPECT_FALSE(body.done());
  EXPECT_EQ(body.Scan("loGET /"), 2u);
  EXPECT_TRUE(body.done());
  EXPECT_EQ(body.Scan("x"), 0u);
}

TEST(BodyScanner, NeverEndsByItselfWhereTheConnectionEndsIt) {
  BodyScanner body(Framing{.kind = BodyKind::kUntilClose});
  EXPECT_EQ(body.Scan("anything"), 8u);
  EXPECT_FALSE(body.done());
  EXPECT_TRUE(body.until_close());
}

TEST(BodyScanner, FindsTheEndOfChunksAtEveryCut) {
  const std::string bytes = std::string(kChunks) + "GET / HTTP/1.1\r\n";
  for (size_t cut = 0; cut <= kChunks.size(); ++cut) {
    BodyScanner body = Chunked();
    ASSERT_EQ(body.Scan(bytes.substr(0, cut)), cut) << "cut at " << cut;
    EXPECT_EQ(body.Scan(bytes.substr(cut)), kChunks.size() - cut) << "cut at " << cut;
    EXPECT_TRUE(body.done()) << "cut at " << cut;
  }
}

TEST(BodyScanner, RefusesMalformedChunksWholeAndByteByByte) {
  for (const std::string bytes : {"g\r\n",
                                  "\r\n",
                                  "-5\r\nhello\r\n",
                                  "+5\r\nhello\r\n",
                                  "0x5\r\nhello\r\n",
                                  " 5\r\nhello\r\n",
                                  "5 \r\nhello\r\n",
                                  "5\nhello\r\n",
                                  "5\rhello\r\n",
                                  "5\r\nhelloX",
                                  "5\r\nhello\n0\r\n\r\n",
                                  "5\r\nhello\r0\r\n\r\n",
                                  "10000000000000005\r\nhello\r\n",
                                  "0000000000000005\r\nhello\r\n",
                                  "5;a\n\r\nhello\r\n",
                                  "5;a\x01\r\nhello\r\n",
                                  "0\r\n X: folded\r\n\r\n",
                                  "0\r\nX: a\n\r\n",
                                  "0\r\nX: a\r\r\n",
                                  "0\r\n\rX",
                                  "5;a\rb\r\nhello",
                                  "0\r\nX\r\n\r\n",
                                  "0\r\n: a\r\n\r\n",
                                  "0\r\nX : a\r\n\r\n",
                                  "0\r\nGET / HTTP/1.1\r\n\r\n",
                                  "0\r\nContent-Length: 3\r\n\r\n",
                                  "0\r\nX: a\r\ntransfer-encoding: chunked\r\n\r\n",
                                  "0\r\nHost: b\r\n\r\n",
                                  "0\r\nConnection: close\r\n\r\n",
                                  "0\n\n"}) {
    BodyScanner whole = Chunked();
    whole.Scan(bytes);
    EXPECT_TRUE(whole.bad()) << bytes;
    BodyScanner slow = Chunked();
    for (size_t i = 0; i < bytes.size() && !slow.bad(); ++i) slow.Scan(bytes.substr(i, 1));
    EXPECT_TRUE(slow.bad()) << bytes;
  }
}

TEST(BodyScanner, BoundsTheFramingWithoutData) {
  BodyScanner trailers = Chunked();
  trailers.Scan("0\r\n");
  for (int i = 0; i < 20'000 && !trailers.bad(); ++i) trailers.Scan("a: b\r\n");
  EXPECT_TRUE(trailers.bad());
}

TEST(BodyScanner, TakesTrailersWhoseNamesAreLongOrOnlyBeginLikeForbiddenOnes) {
  BodyScanner body = Chunked();
  const std::string bytes =
      "0\r\nContent-Length-Of-It: 3\r\nHos: a\r\nGrpc-Status:0\r\nEmpty:\r\n" +
      std::string(300, 'n') + ": v\r\n\r\n";
  EXPECT_EQ(body.Scan(bytes), bytes.size());
  EXPECT_TRUE(body.done());
}

TEST(BodyScanner, BoundsTheExtensionsOfOneChunk) {
  const std::string most = "1;" + std::string(BodyScanner::kExtensionBytesMax, 'x');
  BodyScanner body = Chunked();
  body.Scan(most + "\r\na\r\n" + most + "\r\nb\r\n0\r\n\r\n");
  EXPECT_TRUE(body.done());
  BodyScanner more = Chunked();
  more.Scan(most + "x");
  EXPECT_TRUE(more.bad());
}

TEST(BodyScanner, CountsDataInChunksOfAnySizeAsHonest) {
  BodyScanner body = Chunked();
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += "1\r\nx\r\n";
  EXPECT_EQ(body.Scan(bytes), bytes.size());
  EXPECT_FALSE(body.bad());
}

}  // namespace
}  // namespace gocomet::http
