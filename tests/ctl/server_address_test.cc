#include "ctl/client/server_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gocomet::ctl {
namespace {

TEST(ServerAddress, IsLocalWhereNothingLeavesTheMachine) {
  for (const char* text : {"127.0.0.1:7070", "127.9.9.9:1", "[::1]:7070", "localhost:7070",
                           "unix:/run/gocomet.sock"}) {
    const auto server = ServerAddress::Parse(text);
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_TRUE(server->is_local) << text;
    EXPECT_EQ(server->text, text);
  }
}

TEST(ServerAddress, MayBeOnAnotherMachine) {
  for (const char* text : {"10.0.0.1:7070", "[2001:db8::1]:7070", "example.com:7070", "host:65535",
                           "localhost.example.com:7070"}) {
    const auto server = ServerAddress::Parse(text);
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_FALSE(server->is_local) << text;
  }
}

TEST(ServerAddress, SaysWhatItExpected) {
  for (const char* text : {"", "foo", "7070", ":7070", "host:", "host:0", "host:65536", "host:7x",
                           "http://host:7070", "127.0.0.1:0", "a b:1", "unix:relative"}) {
    const auto server = ServerAddress::Parse(text);
    ASSERT_FALSE(server.ok()) << text;
    EXPECT_THAT(std::string(server.status().message()),
                testing::HasSubstr("expected IP:PORT, host:port or unix:/path"));
  }
}

}  // namespace
}  // namespace gocomet::ctl
