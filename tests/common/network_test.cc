#include "common/base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet {
namespace {

sockaddr_storage Ip(const std::string& text) {
  sockaddr_storage storage{};
  auto& in = reinterpret_cast<sockaddr_in&>(storage);
  auto& in6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else if (::inet_pton(AF_INET6, text.c_str(), &in6.sin6_addr) == 1) {
    storage.ss_family = AF_INET6;
  }
  return storage;
}

TEST(Networks, ContainTheAddressesWithTheirPrefix) {
  const auto networks = Networks::Parse("10.0.0.0/8,192.0.2.128/25,203.0.113.7,2001:db8::/33,::1");
  ASSERT_TRUE(networks.ok()) << networks.status();
  for (const char* in : {"10.0.0.0", "10.255.255.255", "192.0.2.128", "192.0.2.255", "203.0.113.7",
                         "2001:db8:7fff::1", "::1", "::ffff:10.1.2.3"}) {
    EXPECT_TRUE(networks->Contain(Ip(in))) << in;
  }
  for (const char* out : {"11.0.0.0", "9.255.255.255", "192.0.2.127", "203.0.113.6",
                          "2001:db8:8000::1", "::2", "::ffff:11.1.2.3", "a path"}) {
    EXPECT_FALSE(networks->Contain(Ip(out))) << out;
  }
}

TEST(Networks, MayBeAllAddressesOrNone) {
  EXPECT_TRUE(Networks::Parse("0.0.0.0/0")->Contain(Ip("198.51.100.1")));
  EXPECT_FALSE(Networks::Parse("0.0.0.0/0")->Contain(Ip("::1")));
  EXPECT_FALSE(Networks::Parse("")->Contain(Ip("127.0.0.1")));
}

TEST(Networks, ReadWhatTheyWrite) {
  for (const char* text : {"", "127.0.0.0/8,::1", "0.0.0.0/0,::/0", "192.0.2.7"}) {
    EXPECT_EQ(Networks::Parse(text)->ToString(), text);
  }
  EXPECT_EQ(Networks::Loopback().ToString(), "127.0.0.0/8,::1");
}

TEST(Networks, NameThePartThatIsNotOne) {
  for (const char* part : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0",
                           "localhost", "::1/129", " 10.0.0.0/8", "10.0.0.1/8"}) {
    const auto networks = Networks::Parse(std::string("127.0.0.1,") + part);
    ASSERT_FALSE(networks.ok()) << part;
    EXPECT_THAT(std::string(MessageOf(networks.status())), ::testing::HasSubstr(part));
  }
  EXPECT_FALSE(Networks::Parse("127.0.0.1,").ok());
}

}  // namespace
}  // namespace gocomet
