// token create, list and delete, and whoami.
#include <gmock/gmock.h>

#include "gocomet/v1/access.pb.h"
#include "tests/ctl/ctl_test.h"

namespace gocomet::ctl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using TokenTest = CtlTest;

TEST_F(TokenTest, CreatePrintsTheTokenAlone) {
  fake_.Script("AccessService/CreateToken",
               Make<v1::CreateTokenResponse>("token { name: 'ci' } secret: 'gocomet_1_2'"));
  const Outcome run = Ctl({"token", "create", "ci", "--role", "operator", "--expires-in", "24h"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "gocomet_1_2\n");
  EXPECT_EQ(run.err, "token/ci created; keep it now, it is not shown again\n");
  const auto requests = fake_.Requests<v1::CreateTokenRequest>("AccessService/CreateToken");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].name(), "ci");
  EXPECT_EQ(requests[0].role(), v1::ROLE_OPERATOR);
  EXPECT_EQ(requests[0].lifetime().seconds(), 86400);
  EXPECT_EQ(requests[0].author(), "ada");
}

TEST_F(TokenTest, CreateTakesARoleThatExists) {
  const Outcome run = Ctl({"token", "create", "ci", "--role", "root"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.err, "gocometctl: --role 'root': expected viewer, operator or admin\n");
  EXPECT_THAT(fake_.Requests<v1::CreateTokenRequest>("AccessService/CreateToken"), IsEmpty());
}

TEST_F(TokenTest, ListShowsEachTokenAndWhenItEnds) {
  fake_.Script("AccessService/ListTokens", Make<v1::ListTokensResponse>(R"(
    tokens { id: 'c1b9405ed4ed' name: 'ci' role: ROLE_OPERATOR author: 'ada'
             create_time { seconds: 1799999990 } expire_time { seconds: 1800000090 } }
    tokens { id: 'd1b9405ed4ed' name: 'old' role: ROLE_VIEWER author: 'ada'
             create_time { seconds: 1799999990 } expire_time { seconds: 1799999999 } }
    tokens { id: '842a8a958bbc' name: 'local-admin' role: ROLE_ADMIN author: 'gocomet-controlplane'
             create_time { seconds: 1799999940 } })"));
  EXPECT_EQ(Ctl({"token", "list"}).out,
            "NAME          ID             ROLE       EXPIRES-IN   AGE    AUTHOR\n"
            "ci            c1b9405ed4ed   operator   1m30s        10s    ada\n"
            "old           d1b9405ed4ed   viewer     expired      10s    ada\n"
            "local-admin   842a8a958bbc   admin      -            1m0s   gocomet-controlplane\n");
  EXPECT_EQ(Ctl({"token", "list", "-o", "name"}).out, "token/ci\ntoken/old\ntoken/local-admin\n");
}

TEST_F(TokenTest, DeleteTakesNamesAsTheyAreListed) {
  fake_.Script("AccessService/DeleteToken", Make<v1::DeleteTokenResponse>("token { name: 'ci' }"));
  EXPECT_EQ(Ctl({"token", "delete", "token/ci"}).out, "token/ci deleted\n");
  EXPECT_EQ(fake_.Requests<v1::DeleteTokenRequest>("AccessService/DeleteToken").at(0).name(), "ci");
}

TEST_F(TokenTest, WhoamiSaysNameAndRole) {
  fake_.Script("AccessService/WhoAmI", Make<v1::WhoAmIResponse>("role: ROLE_ADMIN name: 'ada'"));
  EXPECT_EQ(Ctl({"whoami"}).out, "ada (admin)\n");
  fake_.Script("AccessService/WhoAmI", v1::WhoAmIResponse());
  EXPECT_EQ(Ctl({"whoami"}).out, "nobody in particular (no role)\n");
}

TEST_F(TokenTest, TlsOptionsThatCannotBeReadAreNamed) {
  const Outcome run = Ctl({"whoami", "--tls-ca", "/nowhere/ca.pem"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("--tls-ca: "));
  EXPECT_THAT(run.err, HasSubstr("/nowhere/ca.pem"));
}

TEST_F(TokenTest, ACertificateNeedsItsKey) {
  const Outcome run = Ctl({"whoami", "--tls-certificate", "/etc/hostname"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("--tls-certificate and --tls-key go together"));
}

}  // namespace
}  // namespace gocomet::ctl
