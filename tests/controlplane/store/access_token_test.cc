// Tokens in the file: as hashes, in the order in which they came and went.
#include <gmock/gmock.h>

#include "tests/controlplane/store/store_fixture.h"

namespace gocomet::controlplane {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

AccessToken TokenOf(const std::string& id, const std::string& name, Role role) {
  AccessToken token{id, name, role};
  for (size_t i = 0; i < token.hash.size(); ++i) token.hash[i] = static_cast<uint8_t>(i * 9 + 1);
  token.create_time = WallTime(std::chrono::microseconds(1'700'000'000'123'456));
  token.expire_time = WallTime(std::chrono::seconds(1'800'000'000));
  token.author = "ada";
  return token;
}

class AccessTokenTest : public StoreFixture {
 protected:
  void Write(std::vector<AccessTokenChange> changes) {
    const OpenedStore opened = MustOpen();
    Answer answer;
    StoreWrite write;
    write.access_tokens = std::move(changes);
    write.done = answer.Callback();
    opened.store->Write(std::move(write));
    ASSERT_TRUE(answer.Await().ok());
  }
};

TEST_F(AccessTokenTest, ComesBackAsItWas) {
  const AccessToken token = TokenOf("0123456789ab", "ci", Role::kOperator);
  Write({{token}});
  const OpenedStore opened = MustOpen();
  ASSERT_THAT(opened.state.access_tokens, SizeIs(1));
  const AccessToken& read = opened.state.access_tokens[0];
  EXPECT_EQ(read.id, token.id);
  EXPECT_EQ(read.name, token.name);
  EXPECT_EQ(read.role, token.role);
  EXPECT_EQ(read.hash, token.hash);
  EXPECT_EQ(read.create_time, token.create_time);
  EXPECT_EQ(read.expire_time, token.expire_time);
  EXPECT_EQ(read.author, token.author);
}

TEST_F(AccessTokenTest, StaysDeleted) {
  Write({{TokenOf("0123456789ab", "ci", Role::kViewer)}});
  Write({{TokenOf("0123456789ab", "", Role::kNobody), true}});
  EXPECT_THAT(MustOpen().state.access_tokens, IsEmpty());
}

TEST_F(AccessTokenTest, MayTakeTheNameOfADeletedOneInOneBatch) {
  Write({{TokenOf("0123456789ab", "ci", Role::kViewer)},
         {TokenOf("0123456789ab", "", Role::kNobody), true},
         {TokenOf("ba9876543210", "ci", Role::kAdmin)}});
  EXPECT_THAT(Query("SELECT id, name, role FROM access_token", 3),
              ElementsAre("ba9876543210|ci|admin"));
}

TEST_F(AccessTokenTest, OfARoleThatNobodyKnowsIsNotRead) {
  Write({{TokenOf("0123456789ab", "ci", Role::kViewer)}});
  Execute("UPDATE access_token SET role = 'superuser'");
  EXPECT_THAT(MustOpen().state.access_tokens, IsEmpty());
}

}  // namespace
}  // namespace gocomet::controlplane
