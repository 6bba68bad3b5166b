#include "controlplane/access/role.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "controlplane/access/method_rules.h"

namespace gocomet::controlplane {
namespace {

Role Of(std::vector<std::string> organizations) { return RoleOfOrganizations(organizations); }

TEST(Role, IsReadAsItIsWritten) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
    EXPECT_EQ(ParseRole(ToString(role)), role);
  }
}

TEST(Role, IsNothingThatCannotBeGiven) {
  for (const char* text : {"", "nobody", "Admin", "admin ", "root"}) {
    EXPECT_FALSE(ParseRole(text)) << text;
  }
}

TEST(Role, ComesFromAnOrganizationWithOurPrefix) {
  EXPECT_EQ(Of({"gocomet:viewer"}), Role::kViewer);
  EXPECT_EQ(Of({"Example Ltd", "gocomet:operator"}), Role::kOperator);
  EXPECT_EQ(Of({"gocomet:admin", "gocomet:viewer"}), Role::kAdmin);
}

TEST(Role, ComesFromNoOtherOrganization) {
  EXPECT_EQ(Of({}), Role::kNobody);
  EXPECT_EQ(Of({"admin", "gocomet:", "gocomet:root", "xgocomet:admin", "gocomet:admin,O=x"}),
            Role::kNobody);
}

TEST(MethodRules, NameEachMethodOnce) {
  std::set<std::string_view> methods;
  for (const MethodRule& rule : MethodRules()) {
    EXPECT_TRUE(methods.insert(rule.method).second) << rule.method;
  }
}

TEST(MethodRules, AskMoreOfThoseWhoChangeThanOfThoseWhoLook) {
  for (const MethodRule& rule : MethodRules()) {
    EXPECT_GE(rule.role, rule.is_change ? Role::kOperator : Role::kNobody) << rule.method;
  }
}

TEST(MethodRules, TakeAnAdminForWhatNobodyThoughtOf) {
  EXPECT_EQ(RuleOf("/gocomet.v1.WorkerService/Explode").role, Role::kAdmin);
  EXPECT_TRUE(RuleOf("/gocomet.v1.WorkerService/Explode").is_change);
}

}  // namespace
}  // namespace gocomet::controlplane
