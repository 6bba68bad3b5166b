#include "common/base/token_file.h"

#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"

namespace gocomet {
namespace {

absl::StatusOr<std::string> Read(const std::string& content) {
  char path[] = "/tmp/gocomet-token-XXXXXX";
  ::close(::mkstemp(path));
  EXPECT_TRUE(WriteFileAtomically(path, content, 0600).ok());
  auto token = ReadTokenFile(path);
  ::unlink(path);
  return token;
}

TEST(TokenFile, HoldsOneLineWhoseEndIsLeftOut) {
  for (const char* content : {"s3cret", "s3cret\n", "s3cret\r\n"}) {
    const auto token = Read(content);
    ASSERT_TRUE(token.ok()) << token.status();
    EXPECT_EQ(*token, "s3cret");
  }
}

TEST(TokenFile, IsRefusedWhereItDoesNotFitAHeader) {
  for (const std::string& content :
       {std::string(), std::string("\n"), std::string("a b"), std::string("a\nb"),
        std::string("a\0b", 3), std::string("\xc3\xa9"), std::string(4097, 'x')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Read(content).status())) << content;
  }
}

TEST(TokenFile, IsNamedWhereItIsMissing) {
  const auto token = ReadTokenFile("/nowhere/token");
  EXPECT_TRUE(absl::IsNotFound(token.status()));
  EXPECT_NE(MessageOf(token.status()).find("/nowhere/token"), std::string::npos);
}

}  // namespace
}  // namespace gocomet
