#include "common/base/address.h"

#include <netinet/in.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet {
namespace {

using ::testing::HasSubstr;

TEST(Address, IsPrintedAsItWasWritten) {
  for (const char* text : {"127.0.0.1:80", "[::1]:7070", "0.0.0.0:0", "unix:/run/a.sock"}) {
    const auto address = Address::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(Address, RefusesWhatIsNotOneAndSaysTheFormExpected) {
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", ":80", "localhost:80", "1.2.3.4:65536",
                           "1.2.3.4:-1", "1.2.3.4:80 ", "::1:80", "unix:", "unix:relative"}) {
    const auto address = Address::Parse(text);
    ASSERT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(MessageOf(address.status()), HasSubstr("IP:PORT")) << text;
  }
}

TEST(Address, RefusesAUnixPathThatDoesNotFit) {
  const auto address = Address::Parse("unix:/" + std::string(kUnixPathBytesMax, 'x'));
  ASSERT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(address.status()), HasSubstr("at most 107 fit"));
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(Address::Parse("127.1.2.3:1")->is_loopback());
  EXPECT_TRUE(Address::Parse("[::1]:1")->is_loopback());
  EXPECT_TRUE(Address::Parse("unix:/a")->is_loopback());
  EXPECT_FALSE(Address::Parse("0.0.0.0:1")->is_loopback());
  EXPECT_FALSE(Address::Parse("192.168.0.1:1")->is_loopback());
}

TEST(CheckAddressIsFree, NamesTheAddressThatIsTaken) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  auto any_port = *Address::Parse("127.0.0.1:0");
  ASSERT_EQ(::bind(listener.get(), any_port.socket_address(), any_port.socket_address_length()), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &length), 0);
  const int port = ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  const auto taken = *Address::Parse("127.0.0.1:" + std::to_string(port));

  const absl::Status status = CheckAddressIsFree(taken);

  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(MessageOf(status), HasSubstr(taken.ToString()));
}

TEST(CheckAddressIsFree, TellsAnAddressThatThisMachineDoesNotHave) {
  // RFC 5737: for documentation only.
  const absl::Status status = CheckAddressIsFree(*Address::Parse("192.0.2.1:8080"));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(status), HasSubstr("192.0.2.1"));
}

}  // namespace
}  // namespace gocomet
