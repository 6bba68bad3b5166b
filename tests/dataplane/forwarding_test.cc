#include <string>

#include <gtest/gtest.h>

#include "tests/dataplane/one_shard.h"

// What goes through a balancer, from both of its ends.
namespace gocomet::dataplane {
namespace {

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class Forwarding : public ::testing::Test {
 protected:
  Door door_;
  OneShard balancer_{{door_.address()}};
  Peer client_ = balancer_.Connect();
};

TEST_F(Forwarding, UsesOneConnectionToTheWorkerForRequestAfterRequest) {
  Peer worker;
  for (int i = 0; i < 3; ++i) {
    client_.Send(kGet);
    if (i == 0) worker = door_.Accept();
    worker.ReadHead();
    worker.Send(kOk);
    EXPECT_EQ(client_.ReadUntil("ok"), kOk);
  }
  EXPECT_TRUE(door_.NobodyKnocksFor(std::chrono::milliseconds(20)));
  EXPECT_EQ(balancer_.endpoint(0).counters->answered, 3u);
  EXPECT_EQ(balancer_.endpoint(0).counters->by_status_class[1], 3u);
  EXPECT_TRUE(Eventually([this] { return balancer_.endpoint(0).in_flight == 0; }));
}

TEST_F(Forwarding, AnswersPipelinedRequestsInTheirOrder) {
  client_.Send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"
      "bodyGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
  Peer worker = door_.Accept();
  for (const std::string path : {"/1", "/2", "/3"}) {
    const std::string head = worker.ReadHead();
    EXPECT_NE(head.find(" " + path + " "), std::string::npos) << head;
    if (path == "/2") {
      EXPECT_EQ(worker.ReadExactly(4), "body");
    }
    EXPECT_TRUE(worker.IsSilentFor(std::chrono::milliseconds(5)));
    worker.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + path);
    EXPECT_TRUE(client_.ReadUntil("\r\n\r\n" + path).starts_with("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_F(Forwarding, ReadsARequestThatIsCutAtAnyByte) {
  const std::string request =
      "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;e=1\r\nabc\r\n0\r\nT: "
      "t\r\n\r\n";
  const std::string body = "3;e=1\r\nabc\r\n0\r\nT: t\r\n\r\n";
  Peer worker;
  for (size_t cut = 1; cut < request.size(); ++cut) {
    client_.Send(request.substr(0, cut));
    balancer_.HaveItsTurn();
    client_.Send(request.substr(cut));
    if (cut == 1) worker = door_.Accept();
    worker.ReadHead();
    ASSERT_EQ(worker.ReadExactly(body.size()), body) << "cut at " << cut;
    worker.Send(kOk);
    ASSERT_EQ(client_.ReadUntil("ok"), kOk) << "cut at " << cut;
  }
}

TEST_F(Forwarding, ReadsAnAnswerThatIsCutAtAnyByte) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  Peer worker;
  for (size_t cut = 1; cut < answer.size(); ++cut) {
    client_.Send(kGet);
    if (cut == 1) worker = door_.Accept();
    worker.ReadHead();
    worker.Send(answer.substr(0, cut));
    balancer_.HaveItsTurn();
    worker.Send(answer.substr(cut));
    ASSERT_EQ(client_.ReadExactly(answer.size()), answer) << "cut at " << cut;
  }
}

TEST_F(Forwarding, PassesInterimAnswersOnWhileTheClientWaitsWithItsBody) {
  client_.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  Peer worker = door_.Accept();
  EXPECT_NE(worker.ReadHead().find("Expect: 100-continue\r\n"), std::string::npos);
  worker.Send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  EXPECT_EQ(client_.ReadHead(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client_.ReadHead(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  client_.Send("body");
  EXPECT_EQ(worker.ReadExactly(4), "body");
  worker.Send(kOk);
  EXPECT_EQ(client_.ReadUntil("ok"), kOk);
}

TEST_F(Forwarding, EndsAnswersToHead204And304WithTheirHeads) {
  Peer worker;
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"}) {
    const bool head = answer.find("200") != std::string::npos;
    client_.Send(std::string(head ? "HEAD" : "GET") + " / HTTP/1.1\r\nHost: h\r\n\r\n");
    if (head) worker = door_.Accept();
    worker.ReadHead();
    worker.Send(answer);
    EXPECT_EQ(client_.ReadHead(), answer);
  }
}

TEST_F(Forwarding, EndsTheClientsConnectionWithAnAnswerThatEndsWithItsOwn) {
  client_.Send(kGet);
  Peer worker = door_.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  worker.Close();
  EXPECT_EQ(client_.ReadToEnd(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
}

TEST_F(Forwarding, ServesAnHttp10ClientThatAsksToStay) {
  for (int i = 0; i < 2; ++i) {
    client_.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    Peer worker = door_.Accept();
    EXPECT_TRUE(worker.ReadHead().starts_with("GET / HTTP/1.1\r\nHost: \r\n"));
    worker.Send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(client_.ReadUntil("\r\n\r\nok"),
              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok");
  }
  client_.Send("GET / HTTP/1.0\r\n\r\n");
  Peer worker = door_.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(client_.ReadToEnd().ends_with("Connection: close\r\n\r\nok"));
}

TEST_F(Forwarding, TakesChunksApartForAnHttp10ClientWhereverTheyAreCut) {
  const std::string chunked = "3;e=1\r\nabc\r\n4\r\ndefg\r\n0\r\nT: t\r\n\r\n";
  Peer worker;
  for (size_t cut = 0; cut < chunked.size(); ++cut) {
    Peer client = balancer_.Connect();
    client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    if (!worker.valid()) worker = door_.Accept();  // The worker's connection stays in use.
    worker.ReadHead();
    worker.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked.substr(0, cut));
    std::string answer = client.ReadHead();
    worker.Send(chunked.substr(cut));
    answer += client.ReadToEnd();
    EXPECT_EQ(answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdefg") << "cut at " << cut;
  }
}

TEST_F(Forwarding, ServesAClientThatHasClosedItsSendingSide) {
  client_.Send(kGet);
  client_.ShutdownWrite();
  Peer worker = door_.Accept();
  worker.ReadHead();
  worker.Send(kOk);
  EXPECT_TRUE(client_.ReadToEnd().starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Forwarding, ReleasesTheWorkerAtOnceWhereTheClientIsGone) {
  client_.Send(kGet);
  Peer worker = door_.Accept();
  worker.ReadHead();
  client_.CloseWithReset();
  EXPECT_TRUE(worker.Ends());
  EXPECT_TRUE(Eventually([this] { return balancer_.endpoint(0).in_flight == 0; }));
}

TEST_F(Forwarding, PassesAnEarlyAnswerOnDuringAnUpload) {
  client_.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nthe beginning");
  Peer worker = door_.Accept();
  worker.ReadHead();
  worker.Send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
  EXPECT_EQ(client_.ReadUntil("big"),
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
  EXPECT_TRUE(worker.Ends());
}

TEST_F(Forwarding, StopsReadingFromAWorkerWhoseClientDoesNotRead) {
  client_.Send(kGet);
  Peer worker = door_.Accept();
  worker.ReadHead();
  const std::string body(64 << 20, 'x');
  worker.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  size_t sent = 0;
  for (size_t more = 1; more > 0;) {
    balancer_.HaveItsTurn();
    more = worker.SendWhatFits(std::string_view(body).substr(sent));
    sent += more;
  }
  EXPECT_LT(sent, body.size() / 2) << "the balancer read what nobody takes from it";
  client_.ReadHead();
  std::thread rest([&] { worker.Send(std::string_view(body).substr(sent)); });
  EXPECT_EQ(client_.ReadExactly(body.size()), body);
  rest.join();
}

TEST_F(Forwarding, StopsReadingFromAClientWhoseWorkerDoesNotRead) {
  const std::string body(64 << 20, 'x');
  client_.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n");
  Peer worker = door_.Accept();
  size_t sent = 0;
  for (size_t more = 1; more > 0;) {
    balancer_.HaveItsTurn();
    more = client_.SendWhatFits(std::string_view(body).substr(sent));
    sent += more;
  }
  EXPECT_LT(sent, body.size() / 2) << "the balancer read what nobody takes from it";
  worker.ReadHead();
  std::thread rest([&] { client_.Send(std::string_view(body).substr(sent)); });
  EXPECT_EQ(worker.ReadExactly(body.size()), body);
  rest.join();
  worker.Send(kOk);
  EXPECT_EQ(client_.ReadUntil("ok"), kOk);
}

TEST_F(Forwarding, BecomesATunnelThatEachSideEndsByItself) {
  client_.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  Peer worker = door_.Accept();
  EXPECT_NE(worker.ReadHead().find("Upgrade: echo\r\n"), std::string::npos);
  worker.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhi");
  EXPECT_TRUE(client_.ReadHead().starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_EQ(client_.ReadExactly(2), "hi");
  client_.Send("\x01\xff anything");
  EXPECT_EQ(worker.ReadExactly(11), "\x01\xff anything");
  worker.ShutdownWrite();
  EXPECT_EQ(client_.ReadToEnd(), "");
  client_.Send("still here");
  EXPECT_EQ(worker.ReadExactly(10), "still here");
  client_.ShutdownWrite();
  EXPECT_TRUE(worker.Ends());
  EXPECT_TRUE(Eventually([this] { return balancer_.endpoint(0).in_flight == 0; }));
  EXPECT_TRUE(door_.NobodyKnocksFor(std::chrono::milliseconds(20))) << "it was tried again";
}

TEST(ForwardingToUnixSockets, WorksAsOverTcp) {
  char directory[] = "/tmp/gocomet-forwarding-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string path = std::string(directory) + "/http.sock";
  {
    Door door(path);
    OneShard balancer({door.address()});
    Peer client = balancer.Connect();
    Peer worker;
    for (int i = 0; i < 3; ++i) {
      client.Send(kGet);
      if (i == 0) worker = door.Accept();
      worker.ReadHead();
      worker.Send(kOk);
      EXPECT_EQ(client.ReadUntil("ok"), kOk);
    }
  }
  ::unlink(path.c_str());
  ::rmdir(directory);
}

TEST(ForwardingToSeveral, TakesTurnsExactly) {
  Door doors[3];
  OneShard balancer({doors[0].address(), doors[1].address(), doors[2].address()});
  Peer client = balancer.Connect();
  Peer workers[3];
  for (int i = 0; i < 12; ++i) {
    client.Send(kGet);
    Peer& worker = workers[i % 3];
    if (!worker.valid()) worker = doors[i % 3].Accept();
    worker.ReadHead();
    worker.Send(kOk);
    client.ReadUntil("ok");
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(balancer.endpoint(i).counters->answered, 4u);
}

}  // namespace
}  // namespace gocomet::dataplane
