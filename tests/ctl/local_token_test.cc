#include "ctl/client/local_token.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// As proc(5) describes it: a listener of user 1000 on 7070, a connection to it, one of root on 22.
constexpr char kTable[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1B9E 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "5678 1 0 100 0 0 10 0\n"
    "   1: 0100007F:1B9E 0100007F:C001 01 00000000:00000000 00:00000000 00000000   999        0 "
    "5679 1 0 100 0 0 10 0\n"
    "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "5680 1 0 100 0 0 10 0\n";

TEST(LocalToken, FindsWhoListens) {
  EXPECT_THAT(ListenersOn(kTable, 7070), ElementsAre(1000));
  EXPECT_THAT(ListenersOn(kTable, 22), ElementsAre(0));
  EXPECT_THAT(ListenersOn(kTable, 80), IsEmpty());
}

TEST(LocalToken, FindsNobodyInATableThatIsNone) {
  for (const char* text : {"", "\n\n", "x", "a b c 0A e f g h", "a :1B9E c 0A e f g -1"}) {
    EXPECT_THAT(ListenersOn(text, 7070), IsEmpty()) << text;
  }
}

class LocalTokenFile : public testing::Test {
 protected:
  LocalTokenFile() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::ofstream(path_) << "gocomet_token\n";
    const auto any = *Address::Parse("127.0.0.1:0");
    EXPECT_EQ(::bind(socket_.get(), any.socket_address(), any.socket_address_length()), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    sockaddr_in address{};
    socklen_t length = sizeof(address);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  ~LocalTokenFile() override { std::filesystem::remove(path_); }

  const std::string path_ = Cat(testing::TempDir(), "gocomet-local-token-", ::getpid());
  UniqueFd socket_;
  uint16_t port_ = 0;
};

TEST_F(LocalTokenFile, IsReadWhereItsOwnerListens) {
  const auto token = ReadLocalToken(path_, port_);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(*token, "gocomet_token");
}

TEST_F(LocalTokenFile, IsNotReadWhereNobodyListens) {
  socket_.Reset();
  const auto token = ReadLocalToken(path_, port_);
  EXPECT_EQ(token.status().code(), absl::StatusCode::kPermissionDenied);
}

// root's listener may hear every token; the table above stands for the other cases.
TEST_F(LocalTokenFile, IsNotReadWhereAnotherUserListens) {
  const std::string someone_elses = "/etc/passwd";
  const auto token = ReadLocalToken(someone_elses, port_);
  if (::geteuid() == 0) {
    EXPECT_EQ(token.status().code(), absl::StatusCode::kInvalidArgument) << "it is no token";
  } else {
    EXPECT_EQ(token.status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(std::string(token.status().message()), HasSubstr("does not run as the owner"));
  }
}

TEST_F(LocalTokenFile, ThatDoesNotExistIsNotFound) {
  EXPECT_EQ(ReadLocalToken(path_ + "-none", port_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace gocomet::ctl
