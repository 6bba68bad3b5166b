#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// What a careful proxy does not let through.
namespace gocomet::dataplane {
namespace {

using std::chrono::milliseconds;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string StatusOf(const std::string& answer) {
  return answer.size() < 12 ? answer : answer.substr(9, 3);
}

TEST(Strictness, AnswersBadRequestsItselfEndsTheConnectionAndAsksNoWorker) {
  const std::string nul(1, '\0');
  const struct {
    const char* what;
    std::string request;
    const char* status;
  } table[] = {
      {"CL.TE",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n"
       "\r\n0\r\n\r\nG",
       "400"},
      {"TE.CL",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"
       "\r\n1\r\nG\r\n0\r\n\r\n",
       "400"},
      {"TE.TE",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
       "Transfer-Encoding: x\r\n\r\n0\r\n\r\n",
       "400"},
      {"TE with a space before the colon",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400"},
      {"TE folded", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", "400"},
      {"TE with a vertical tab",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0b"
       "chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"TE unknown", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", "501"},
      {"TE gzip, chunked",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
      {"TE hidden behind a bare LF",
       "POST / HTTP/1.1\r\nHost: h\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n", "400"},
      {"TE hidden behind a bare CR",
       "POST / HTTP/1.1\r\nHost: h\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n", "400"},
      {"TE in HTTP/1.0",
       "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"two lengths",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
       "\r\nab",
       "400"},
      {"a length twice",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n"
       "\r\na",
       "400"},
      {"a list of lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na", "400"},
      {"a signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", "400"},
      {"a negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\na", "400"},
      {"a hexadecimal length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\na", "400"},
      {"a length of 2^64 + 1",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\na", "400"},
      {"a length with NUL", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1" + nul + "\r\n\r\na",
       "400"},
      {"a bare LF", "GET / HTTP/1.1\nHost: h\n\n", "400"},
      {"NUL in a field", "GET / HTTP/1.1\r\nHost: h\r\nX: a" + nul + "\r\n\r\n", "400"},
      {"obs-fold", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", "400"},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", "400"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"a Host with a comma", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"},
      {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
      {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
      {"a user in the target", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"a target without a slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"an asterisk with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"an https target", "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"an http target without an authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "501"},
      {"another expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", "417"},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"HTTP/0.9", "GET /\r\n\r\n", "400"},
      {"a long target", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", "414"},
      {"a long head", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
       "431"},
  };
  Door door;
  OneShard balancer({door.address()});
  for (const auto& row : table) {
    SCOPED_TRACE(row.what);
    Peer client = balancer.Connect();
    client.Send(row.request);
    client.Send(kGet);  // What an attacker would smuggle.
    const std::string answer = client.ReadUntil("\r\n\r\n");
    EXPECT_EQ(StatusOf(answer), row.status) << answer;
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\r\nX-GoComet-Error: "), std::string::npos) << answer;
    client.ShutdownWrite();
    EXPECT_TRUE(client.Ends());
  }
  EXPECT_TRUE(door.NobodyKnocksFor(milliseconds(20))) << "a worker saw one of them";
}

TEST(Strictness, EndsBothConnectionsAtAMalformedChunk) {
  Door door;
  OneShard balancer({door.address()});
  for (const std::string chunks : {"g\r\n", "1\r\nab\r\n", "5;\n", "0\r\n\n", " 1\r\na\r\n"}) {
    SCOPED_TRACE(chunks);
    Peer client = balancer.Connect();
    client.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + kGet);
    EXPECT_EQ(StatusOf(client.ReadHead()), "400");
    client.ShutdownWrite();
    EXPECT_TRUE(client.Ends());
    if (!door.NobodyKnocksFor(milliseconds(5))) {
      Peer worker = door.Accept();
      const std::string seen = worker.ReadToEnd();
      EXPECT_EQ(seen.find("GET /"), std::string::npos) << seen;
    }
  }
}

TEST(Strictness, NeverPassesABadAnswerOnNorUsesItsConnectionAgain) {
  Door door;
  OneShard balancer({door.address()});
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok", "HTTP/1.1 200 OK\nX: a\n\nok",
        "HTTP/1.1 200 OK\r\nX : a\r\n\r\nok", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", "HTTP/2.0 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"}) {
    SCOPED_TRACE(answer);
    Peer client = balancer.Connect();
    client.Send(kGet);
    Peer worker = door.Accept();
    worker.ReadHead();
    worker.Send(answer);
    const std::string got = client.ReadHead();
    EXPECT_EQ(StatusOf(got), "502") << got;
    EXPECT_TRUE(worker.Ends());
  }
}

TEST(Strictness, DropsAConnectionWhoseWorkerSaysMoreThanItsAnswer) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  worker.Send(std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
  EXPECT_TRUE(worker.Ends());
  client.Send(kGet);
  Peer other = door.Accept();
  other.ReadHead();
  other.Send(kOk);
  EXPECT_EQ(client.ReadUntil("ok"), kOk);
}

TEST(Strictness, CutsTheClientOffWhereAnAnswerBreaksInItsMiddle) {
  Door door;
  OneShard balancer({door.address()});
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    Peer client = balancer.Connect();
    client.Send(kGet);
    Peer worker = door.Accept();
    worker.ReadHead();
    worker.Send(answer);
    client.ReadHead();
    worker.Close();
    EXPECT_TRUE(client.Ends());
  }
  EXPECT_EQ(balancer.endpoint(0).counters->resets, 2u);
}

TEST(Strictness, BoundsInterimAnswersThatNobodyTakes) {
  Door door;
  OneShard balancer({door.address()});
  Peer client = balancer.Connect();
  client.Send(kGet);
  Peer worker = door.Accept();
  worker.ReadHead();
  std::string hints;
  for (int i = 0; i < 1000; ++i) hints += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  size_t sent = 0;
  for (size_t more = 1; more > 0 && sent < (64 << 20);) {
    more = worker.SendWhatFits(hints);
    sent += more;
    balancer.HaveItsTurn();
  }
  EXPECT_LT(sent, 64u << 20);
}

}  // namespace
}  // namespace gocomet::dataplane
