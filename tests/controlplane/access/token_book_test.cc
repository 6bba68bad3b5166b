#include "controlplane/access/token_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/access/token_text.h"

namespace gocomet::controlplane {
namespace {

using testing::HasSubstr;
using testing::Not;

const WallTime kNow{std::chrono::hours(500'000)};
const std::string kSecret(64, 'a');

std::string TextOf(const std::string& id, const std::string& secret = kSecret) {
  return MakeTokenText(id, secret);
}

AccessToken TokenOf(const std::string& id, const std::string& name, Role role) {
  return {id, name, role, HashToken(TextOf(id))};
}

std::string RefusalOf(const TokenBook& book, std::string_view text) {
  const auto token = book.Authenticate(text, kNow);
  EXPECT_EQ(token.status().code(), absl::StatusCode::kUnauthenticated);
  return std::string(MessageOf(token.status()));
}

TEST(TokenText, IsReadBackAsItWasMade) {
  const std::string text = MakeTokenText("0123456789ab", kSecret);
  const auto parts = ParseTokenText(text);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->id, "0123456789ab");
  EXPECT_EQ(parts->secret, kSecret);
}

TEST(TokenText, IsNothingElse) {
  const std::string good = MakeTokenText("0123456789ab", kSecret);
  for (const std::string& bad :
       {std::string(), std::string("gocomet_"), good.substr(1), good + "a", good.substr(0, 84),
        "GOCOMET" + good.substr(7), good.substr(0, 20) + "-" + good.substr(21),
        good.substr(0, 30) + "X" + good.substr(31), good.substr(0, 30) + '\0' + good.substr(31)}) {
    EXPECT_FALSE(ParseTokenText(bad)) << bad;
  }
}

// FIPS 180-4's example: SHA-256 of "abc".
TEST(TokenText, HashesWithSha256) {
  const TokenHash hash = HashToken("abc");
  EXPECT_EQ(hash[0], 0xba);
  EXPECT_EQ(hash[1], 0x78);
  EXPECT_EQ(hash[31], 0xad);
}

TEST(TokenBook, KnowsWhoPresentsAToken) {
  const TokenBook book({TokenOf("0123456789ab", "ci", Role::kOperator),
                        TokenOf("1123456789ab", "eve", Role::kViewer)});
  const auto token = book.Authenticate(TextOf("0123456789ab"), kNow);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->name, "ci");
  EXPECT_EQ(token->role, Role::kOperator);
}

TEST(TokenBook, RefusesASecretThatDiffersInOneDigit) {
  const TokenBook book({TokenOf("0123456789ab", "ci", Role::kOperator)});
  for (size_t i = 0; i < kSecret.size(); ++i) {
    std::string secret = kSecret;
    secret[i] = 'b';
    RefusalOf(book, TextOf("0123456789ab", secret));
  }
}

TEST(TokenBook, DoesNotTellAWrongSecretFromAnUnknownToken) {
  const TokenBook book({TokenOf("0123456789ab", "ci", Role::kOperator)});
  EXPECT_EQ(RefusalOf(book, TextOf("0123456789ab", std::string(64, 'b'))),
            RefusalOf(book, TextOf("ffffffffffff")));
}

TEST(TokenBook, NeverRepeatsWhatWasPresented) {
  const TokenBook book({TokenOf("0123456789ab", "ci", Role::kOperator)});
  EXPECT_THAT(RefusalOf(book, "hunter2"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(RefusalOf(book, TextOf("ffffffffffff")), Not(HasSubstr("ffffffffffff")));
}

TEST(TokenBook, RefusesATokenFromTheMomentItExpires) {
  AccessToken token = TokenOf("0123456789ab", "ci", Role::kOperator);
  token.expire_time = kNow + std::chrono::microseconds(1);
  EXPECT_TRUE(TokenBook({token}).Authenticate(TextOf("0123456789ab"), kNow).ok());
  token.expire_time = kNow;
  EXPECT_THAT(RefusalOf(TokenBook({token}), TextOf("0123456789ab")),
              HasSubstr("the token 'ci' has expired"));
}

TEST(TokenBook, ForgetsWhatIsRemoved) {
  TokenBook book({TokenOf("0123456789ab", "ci", Role::kOperator)});
  const TokenBook before = book;
  book.Remove("0123456789ab");
  RefusalOf(book, TextOf("0123456789ab"));
  EXPECT_EQ(book.FindByName("ci"), nullptr);
  EXPECT_TRUE(before.Authenticate(TextOf("0123456789ab"), kNow).ok()) << "a copy stays as it was";
}

TEST(TokenBook, ListsByName) {
  const TokenBook book({TokenOf("2123456789ab", "b", Role::kViewer),
                        TokenOf("0123456789ab", "c", Role::kViewer),
                        TokenOf("1123456789ab", "a", Role::kViewer)});
  std::string names;
  for (const AccessToken& token : book.List()) names += token.name;
  EXPECT_EQ(names, "abc");
}

}  // namespace
}  // namespace gocomet::controlplane
