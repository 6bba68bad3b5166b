#include "ctl/commands/resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gocomet::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string ProblemOf(const std::vector<std::string>& words) {
  const auto resources = Resources::Parse(words);
  EXPECT_EQ(resources.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(resources.status().message());
}

TEST(Kind, HasASingularAPluralAndAShortForm) {
  for (const char* word : {"worker", "workers", "wk"}) EXPECT_EQ(ParseKind(word), Kind::kWorker);
  for (const char* word : {"balancer", "balancers", "lb"})
    EXPECT_EQ(ParseKind(word), Kind::kBalancer);
  for (const char* word : {"service", "services", "svc"})
    EXPECT_EQ(ParseKind(word), Kind::kService);
  for (const char* word : {"revision", "revisions", "rev"})
    EXPECT_EQ(ParseKind(word), Kind::kRevision);
  for (const char* word : {"event", "events", "ev"}) EXPECT_EQ(ParseKind(word), Kind::kEvent);
  EXPECT_EQ(ParseKind("pods"), std::nullopt);
  EXPECT_EQ(ParseKind(""), std::nullopt);
}

TEST(Resources, OfAKindAloneAreAllOfThem) {
  const auto resources = Resources::Parse({"workers"});
  ASSERT_TRUE(resources.ok()) << resources.status();
  EXPECT_EQ(resources->kind, Kind::kWorker);
  EXPECT_THAT(resources->names, IsEmpty());
}

TEST(Resources, AreNamedAfterTheirKindOrWithIt) {
  EXPECT_THAT(Resources::Parse({"worker", "a", "b"})->names, ElementsAre("a", "b"));
  EXPECT_THAT(Resources::Parse({"worker/a", "workers/b"})->names, ElementsAre("a", "b"));
  EXPECT_EQ(Resources::Parse({"lb/balancer-0"})->kind, Kind::kBalancer);
  EXPECT_THAT(Resources::Parse({"events", "worker/worker-0"})->names,
              ElementsAre("worker/worker-0"))
      << "an event is named by its subject";
}

TEST(Resources, SayWhichWordIsAtFault) {
  EXPECT_THAT(ProblemOf({"pods"}), HasSubstr("'pods': expected workers, balancers"));
  EXPECT_THAT(ProblemOf({"pod/a"}), HasSubstr("'pod/a'"));
  EXPECT_THAT(ProblemOf({"worker/a", "b"}), HasSubstr("'b': expected KIND/NAME"));
  EXPECT_THAT(ProblemOf({"worker/a", "lb/b"}), HasSubstr("'lb/b': name things of one kind"));
  ProblemOf({});
}

TEST(NameOf, HasNoPowerOverTheTerminal) {
  EXPECT_EQ(NameOf(Kind::kWorker, "worker-0"), "worker/worker-0");
  EXPECT_EQ(NameOf(Kind::kWorker, "a\x1B[2J\nb"), "worker/a [2J b");
}

}  // namespace
}  // namespace gocomet::ctl
