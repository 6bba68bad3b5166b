#include "common/http/field_id.h"

#include <cctype>
#include <string>

#include <gtest/gtest.h>

#include "common/http/characters.h"
#include "common/http/message.h"

namespace gocomet::http {
namespace {

const struct {
  const char* name;
  FieldId id;
} kKnown[] = {
    {"connection", FieldId::kConnection},
    {"content-length", FieldId::kContentLength},
    {"expect", FieldId::kExpect},
    {"host", FieldId::kHost},
    {"keep-alive", FieldId::kKeepAlive},
    {"proxy-authenticate", FieldId::kProxyAuthenticate},
    {"proxy-authentication-info", FieldId::kProxyAuthenticationInfo},
    {"proxy-authorization", FieldId::kProxyAuthorization},
    {"proxy-connection", FieldId::kProxyConnection},
    {"te", FieldId::kTe},
    {"trailer", FieldId::kTrailer},
    {"transfer-encoding", FieldId::kTransferEncoding},
    {"upgrade", FieldId::kUpgrade},
    {"via", FieldId::kVia},
    {"x-forwarded-for", FieldId::kXForwardedFor},
    {"x-forwarded-host", FieldId::kXForwardedHost},
    {"x-forwarded-proto", FieldId::kXForwardedProto},
    {"x-request-id", FieldId::kXRequestId},
};

TEST(Identify, KnowsEachFieldInAnyCase) {
  ASSERT_EQ(std::size(kKnown) + 1, kFieldIds) << "a field is missing in this test";
  for (const auto& known : kKnown) {
    std::string name = known.name;
    EXPECT_EQ(Identify(name), known.id) << name;
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(Identify(name), known.id) << name;
    name[0] = static_cast<char>(std::tolower(name[0]));
    EXPECT_EQ(Identify(name), known.id) << name;
  }
}

TEST(Identify, TakesNoNameForAnotherWhichDiffersInOneByte) {
  for (const auto& known : kKnown) {
    const std::string name = known.name;
    for (size_t at = 0; at < name.size(); ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string other = name;
        other[at] = static_cast<char>(c);
        if (!IsToken(other) || EqualsIgnoringCase(other, name)) continue;
        EXPECT_EQ(Identify(other), FieldId::kOther) << other;
      }
    }
    EXPECT_EQ(Identify(name + "s"), FieldId::kOther) << name;
    EXPECT_EQ(Identify(name.substr(1)), FieldId::kOther) << name;
  }
}

TEST(Fields, FindsTheFirstAndCountsTheLinesOfAFieldThatIsKnown) {
  Fields fields;
  fields.Add("Accept", "*/*");
  fields.Add("HOST", "a");
  fields.Add("host", "b");
  EXPECT_EQ(fields.Find(FieldId::kHost)->value, "a");
  EXPECT_EQ(fields.Count(FieldId::kHost), 2u);
  EXPECT_EQ(fields.Find("Host"), fields.Find(FieldId::kHost));
  EXPECT_EQ(fields.Find(FieldId::kTe), nullptr);
  EXPECT_EQ(fields.Count(FieldId::kTe), 0u);
  EXPECT_EQ(fields.Find("accept")->value, "*/*");
  fields.Clear();
  EXPECT_EQ(fields.Find(FieldId::kHost), nullptr);
  EXPECT_EQ(fields.Find("accept"), nullptr);
}

}  // namespace
}  // namespace gocomet::http
