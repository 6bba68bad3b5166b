#include "dataplane/proxy/rewrite.h"

#include <string>

#include <gtest/gtest.h>

#include "common/http/parse_head.h"

namespace gocomet::dataplane {
namespace {

std::string Rewritten(const std::string& bytes,
                      const ForwardedFor& forwarded = {"192.0.2.1", "id-1"}) {
  http::RequestHead head;
  EXPECT_EQ(http::ParseRequestHead(bytes, 0, http::HeadLimits{}, head).state, http::Parse::kDone);
  std::string out;
  const http::RequestMeaning meaning = http::UnderstandRequest(head);
  EXPECT_TRUE(meaning.ok) << meaning.fault.reason;
  AppendRequestHead(head, meaning, forwarded, out);
  return out;
}

std::string RewrittenAnswer(const std::string& bytes, const AnswerConnection& connection) {
  http::ResponseHead head;
  EXPECT_EQ(http::ParseResponseHead(bytes, 0, http::HeadLimits{}, head).state, http::Parse::kDone);
  std::string out;
  AppendResponseHead(head, connection, out);
  return out;
}

TEST(AppendRequestHead, AddsWhoAskedAndHow) {
  EXPECT_EQ(Rewritten("GET /a HTTP/1.1\r\nHost: h\r\nX-Own: v\r\n\r\n"),
            "GET /a HTTP/1.1\r\nHost: h\r\nX-Own: v\r\nX-Forwarded-For: 192.0.2.1\r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nX-Request-Id: id-1\r\n\r\n");
}

TEST(AppendRequestHead, KeepsWhatAnEarlierProxySaid) {
  EXPECT_EQ(Rewritten("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 198.51.100.7\r\n"
                      "x-forwarded-for: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
                      "X-Forwarded-Host: outer\r\nX-Request-Id: theirs\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\n"
            "X-Request-Id: theirs\r\n"
            "X-Forwarded-For: 198.51.100.7, 203.0.113.9, 192.0.2.1\r\n\r\n");
}

TEST(AppendRequestHead, DropsWhatAClientSaysOfOthersUnlessItIsTrusted) {
  EXPECT_EQ(Rewritten("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 198.51.100.7\r\nA: b\r\n"
                      "X-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\n"
                      "X-Request-Id: theirs\r\n\r\n",
                      {.client_ip = "192.0.2.1", .request_id = "id-1", .client_is_trusted = false}),
            "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nX-Request-Id: theirs\r\n"
            "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
            "\r\n");
}

TEST(AppendRequestHead, WritesFieldsInTheUsualFormHoweverTheyCame) {
  EXPECT_EQ(Rewritten("GET / HTTP/1.1\r\nHost:h\r\nA: 1\r\nB:\t2\r\nC: 3 \t\r\nD:  4\r\nE:\r\n"
                      "F: \r\nG: 7\r\nX-Request-Id: i\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: \r\nF: \r\nG: 7\r\n"
            "X-Request-Id: i\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: h\r\n\r\n");
}

TEST(AppendRequestHead, NamesItselfInViaWhereAsked) {
  const ForwardedFor named{.client_ip = "192.0.2.1", .request_id = "id-1", .via = "edge"};
  EXPECT_NE(Rewritten("GET / HTTP/1.1\r\nHost: h\r\nVia: 1.0 fred\r\n\r\n", named)
                .find("Via: 1.0 fred\r\n"),
            std::string::npos);
  EXPECT_NE(Rewritten("GET / HTTP/1.0\r\nHost: h\r\n\r\n", named).find("Via: 1.0 edge\r\n"),
            std::string::npos);
  EXPECT_NE(RewrittenAnswer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", {.via = "edge"})
                .find("Via: 1.1 edge\r\n"),
            std::string::npos);
}

TEST(AppendRequestHead, DropsFieldsOfTheConnectionAndThoseItNames) {
  const std::string out = Rewritten(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Secret\r\nKeep-Alive: 5\r\n"
      "X-Secret: s\r\nTE: trailers\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\n"
      "Upgrade: websocket\r\n\r\n");
  for (const std::string name : {"Connection:", "Keep-Alive", "X-Secret", "TE:", "Upgrade"}) {
    EXPECT_EQ(out.find(name), std::string::npos) << name << " in " << out;
  }
}

TEST(AppendRequestHead, NeverDropsWhatFramesOrRoutesTheMessage) {
  const std::string out = Rewritten(
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: content-length, host\r\nContent-Length: 3\r\n"
      "\r\n");
  EXPECT_NE(out.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_NE(out.find("Host: h\r\n"), std::string::npos);
}

TEST(AppendRequestHead, TurnsAnAbsoluteTargetIntoAPathAndItsAuthorityIntoTheHost) {
  EXPECT_EQ(Rewritten("GET http://real:80/p?q HTTP/1.1\r\nHost: other\r\n\r\n")
                .substr(0, std::string("GET /p?q HTTP/1.1\r\nHost: real:80\r\nX").size()),
            "GET /p?q HTTP/1.1\r\nHost: real:80\r\nX");
  EXPECT_EQ(Rewritten("GET HTTP://real HTTP/1.1\r\nHost: other\r\n\r\n").substr(0, 16),
            "GET / HTTP/1.1\r\n");
  EXPECT_EQ(Rewritten("GET http://real?q HTTP/1.1\r\nHost: o\r\n\r\n").substr(0, 18),
            "GET /?q HTTP/1.1\r\n");
}

TEST(AppendRequestHead, PassesAnUpgradeOnWhereItMay) {
  const std::string out =
      Rewritten("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_NE(out.find("Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"), std::string::npos);
}

TEST(AppendRequestHead, TellsTheWorkerOfTrailersWhereTheClientTakesThem) {
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nTE: gzip, trailers\r\nConnection: ";
  const std::string out = Rewritten(request + "TE\r\n\r\n");
  EXPECT_TRUE(out.ends_with("\r\nTE: trailers\r\nConnection: TE\r\n\r\n")) << out;
  const std::string both = Rewritten(request + "te, upgrade\r\nUpgrade: x\r\n\r\n");
  EXPECT_TRUE(both.ends_with("\r\nTE: trailers\r\nConnection: upgrade, TE\r\nUpgrade: x\r\n\r\n"))
      << both;
}

TEST(AppendRequestHead, NeverPassesOnAnUpgradeToAConnectionOfManyRequests) {
  const std::string out = Rewritten(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  EXPECT_EQ(out.find("h2c"), std::string::npos) << out;
  EXPECT_EQ(out.find("HTTP2-Settings"), std::string::npos) << out;
}

TEST(AppendRequestHead, AsksAboutTheWholeServerWhereAnAbsoluteTargetOfOptionsHasNoPath) {
  EXPECT_TRUE(Rewritten("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n")
                  .starts_with("OPTIONS * HTTP/1.1\r\nHost: h\r\n"));
  EXPECT_TRUE(Rewritten("OPTIONS http://h/ HTTP/1.1\r\nHost: h\r\n\r\n")
                  .starts_with("OPTIONS / HTTP/1.1\r\nHost: h\r\n"));
}

TEST(AppendResponseHead, SaysNothingOfTheLengthOfAnAnswerThatNeverHasABody) {
  for (const std::string line : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    EXPECT_EQ(RewrittenAnswer("HTTP/1.1 204 None\r\n" + line + "\r\n", {}),
              "HTTP/1.1 204 None\r\n\r\n");
    EXPECT_EQ(RewrittenAnswer("HTTP/1.1 103 Hints\r\n" + line + "\r\n", {}),
              "HTTP/1.1 103 Hints\r\n\r\n");
    EXPECT_EQ(RewrittenAnswer("HTTP/1.1 304 Same\r\n" + line + "\r\n", {}),
              "HTTP/1.1 304 Same\r\n" + line + "\r\n");
  }
}

TEST(AppendResponseHead, DropsFieldsOfTheWorkersConnection) {
  EXPECT_EQ(RewrittenAnswer("HTTP/1.1 200 Fine\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n"
                            "Content-Length: 2\r\n\r\n",
                            {}),
            "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\n");
}

TEST(AppendResponseHead, TellsTheClientAboutItsOwnConnection) {
  const std::string bytes = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n";
  EXPECT_EQ(RewrittenAnswer(bytes, {.keep_alive = false}),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(RewrittenAnswer(bytes, {.keep_alive = true, .client_minor_version = 0}),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n");
}

TEST(AppendOwnAnswer, NamesItsReasonAndSaysNothingInTheBodyOfAHeadRequest) {
  std::string out;
  AppendOwnAnswer(503, "no_healthy_worker", "No healthy server found", true, false, out);
  EXPECT_EQ(out,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 23\r\nX-GoComet-Error: no_healthy_worker\r\n\r\n"
            "No healthy server found");
  out.clear();
  AppendOwnAnswer(503, "no_healthy_worker", "No healthy server found", false, true, out);
  EXPECT_TRUE(out.ends_with("Connection: close\r\n\r\n")) << out;
}

}  // namespace
}  // namespace gocomet::dataplane
