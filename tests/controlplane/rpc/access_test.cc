// Who may call what: every method with every role, tokens made and deleted, and what is recorded.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "controlplane/access/method_rules.h"
#include "controlplane/access/token_text.h"
#include "tests/controlplane/rpc/named_call.h"
#include "tests/controlplane/rpc/proto_services.h"
#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using grpc::StatusCode;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct Method {
  std::string path;
  bool is_stream = false;
};

// Those of the public address, by the protos themselves: balancers and workers have listeners of
// their own.
std::vector<Method> PublicMethods() {
  std::vector<Method> methods;
  for (const google::protobuf::ServiceDescriptor* service : ProtoServices()) {
    if (service->name() == "DataPlaneService" || service->name() == "ReportService") continue;
    for (int m = 0; m < service->method_count(); ++m) {
      const google::protobuf::MethodDescriptor* method = service->method(m);
      methods.push_back(
          {Cat("/", service->full_name(), "/", method->name()), method->server_streaming()});
    }
  }
  return methods;
}

std::string TextOf(const std::string& name) {
  const std::string id = name.substr(0, 1) == "v"   ? "aaaaaaaaaaaa"
                         : name.substr(0, 1) == "o" ? "bbbbbbbbbbbb"
                                                    : "cccccccccccc";
  return MakeTokenText(id, std::string(64, id[0]));
}

// One of each role, named after it.
std::vector<AccessToken> Tokens() {
  std::vector<AccessToken> tokens;
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
    const std::string text = TextOf(ToString(role));
    tokens.push_back(
        {std::string(ParseTokenText(text)->id), ToString(role), role, HashToken(text)});
  }
  return tokens;
}

struct Present : Call {
  explicit Present(const std::string& token) {
    if (!token.empty()) AddMetadata("authorization", "Bearer " + token);
  }
};

class Access : public testing::Test {
 protected:
  explicit Access(AccessPolicy policy = {.local_token_file = "/state/admin-token"})
      : world_(std::move(policy), {}, Tokens()) {}

  // With an empty request, to the end of the call. A stream that is let in has no end of its own:
  // it is one whose first message comes, or that says nothing for a while.
  grpc::Status CallWith(const std::string& token, const Method& method) {
    grpc::GenericStub stub(world_.channel());
    grpc::CompletionQueue queue;
    Present call(token);
    const auto rpc = stub.PrepareCall(&call, method.path, &queue);
    void* tag = nullptr;
    bool ok = false;
    rpc->StartCall(nullptr);
    queue.Next(&tag, &ok);
    const grpc::Slice nothing;
    rpc->WriteLast(grpc::ByteBuffer(&nothing, 1), {}, nullptr);
    queue.Next(&tag, &ok);
    grpc::ByteBuffer answer;
    rpc->Read(&answer, nullptr);
    const auto patience = std::chrono::system_clock::now() +
                          (method.is_stream ? std::chrono::milliseconds(300) : kCallPatience);
    const bool is_silent = queue.AsyncNext(&tag, &ok, patience) == grpc::CompletionQueue::TIMEOUT;
    const bool let_in = method.is_stream && (is_silent || ok);
    if (let_in) call.TryCancel();
    if (is_silent) queue.Next(&tag, &ok);
    grpc::Status status;
    rpc->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    queue.Shutdown();
    return let_in ? grpc::Status::OK : status;
  }

  grpc::Status Scale(const std::string& token, uint32_t replicas, const std::string& author = "") {
    Present call(token);
    v1::ScaleServiceRequest request;
    request.set_replicas(replicas);
    request.set_author(author);
    v1::ScaleServiceResponse response;
    return world_.Stub<v1::ServiceService>()->ScaleService(&call, request, &response);
  }

  grpc::Status Create(const std::string& token, const v1::CreateTokenRequest& request,
                      v1::CreateTokenResponse* response) {
    Present call(token);
    return world_.Stub<v1::AccessService>()->CreateToken(&call, request, response);
  }
  // The token itself.
  std::string Create(const std::string& name, v1::Role role) {
    v1::CreateTokenRequest request;
    request.set_name(name);
    request.set_role(role);
    v1::CreateTokenResponse response;
    const grpc::Status status = Create(TextOf("admin"), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.secret();
  }
  grpc::Status Delete(const std::string& name) {
    Present call(TextOf("admin"));
    v1::DeleteTokenRequest request;
    request.set_name(name);
    v1::DeleteTokenResponse response;
    return world_.Stub<v1::AccessService>()->DeleteToken(&call, request, &response);
  }
  v1::ListTokensResponse List() {
    Present call(TextOf("admin"));
    v1::ListTokensResponse response;
    EXPECT_TRUE(world_.Stub<v1::AccessService>()->ListTokens(&call, {}, &response).ok());
    return response;
  }
  v1::WhoAmIResponse WhoAmI(const std::string& token) {
    Present call(token);
    v1::WhoAmIResponse response;
    EXPECT_TRUE(world_.Stub<v1::AccessService>()->WhoAmI(&call, {}, &response).ok());
    return response;
  }
  grpc::Status GetStatus(const std::string& token) {
    return CallWith(token, {"/gocomet.v1.ClusterService/GetStatus"});
  }

  // Those of this kind, the newest last, once there are `count`.
  std::vector<Event> EventsOf(const std::string& kind, size_t count) {
    std::vector<Event> found;
    const auto deadline = std::chrono::steady_clock::now() + kCallPatience;
    while (found.size() < count && std::chrono::steady_clock::now() < deadline) {
      found.clear();
      world_.OnOwner([&](Cluster& cluster) {
        for (const Event& event : cluster.events().After(0)) {
          if (event.kind == kind) found.push_back(event);
        }
      });
    }
    return found;
  }

  RpcWorld world_;
};

TEST_F(Access, EveryMethodHasARule) {
  std::set<std::string> with_rule;
  for (const MethodRule& rule : MethodRules()) with_rule.emplace(rule.method);
  std::set<std::string> declared;
  for (const Method& method : PublicMethods()) {
    declared.insert(method.path);
    EXPECT_THAT(with_rule, Contains(method.path)) << "say in method_rules.cc who may call it";
  }
  for (const std::string& method : with_rule) {
    if (!method.starts_with("/gocomet.v1.")) continue;
    EXPECT_THAT(declared, Contains(method)) << "has a rule and does not exist";
  }
}

TEST_F(Access, EveryMethodLetsInItsRoleAndThoseAbove) {
  for (const Method& method : PublicMethods()) {
    for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
      if (role < RuleOf(method.path).role) continue;
      const grpc::Status status = CallWith(TextOf(ToString(role)), method);
      EXPECT_NE(status.error_code(), StatusCode::PERMISSION_DENIED) << method.path;
      EXPECT_NE(status.error_code(), StatusCode::UNAUTHENTICATED) << method.path;
      EXPECT_NE(status.error_code(), StatusCode::INTERNAL) << method.path;
    }
  }
}

TEST_F(Access, EveryMethodRefusesThoseBelowAndSaysWhichRoleItTakes) {
  for (const Method& method : PublicMethods()) {
    for (const Role role : {Role::kViewer, Role::kOperator}) {
      const Role needed = RuleOf(method.path).role;
      if (role >= needed) continue;
      const grpc::Status status = CallWith(TextOf(ToString(role)), method);
      EXPECT_THAT(status, HasCode(StatusCode::PERMISSION_DENIED)) << method.path;
      EXPECT_THAT(status.error_message(),
                  AllOf(HasSubstr(Cat("takes the role ", ToString(needed))),
                        HasSubstr(Cat("the token '", ToString(role), "' is a"))));
    }
  }
}

TEST_F(Access, EveryMethodThatTakesARoleRefusesCallsWithoutAToken) {
  for (const Method& method : PublicMethods()) {
    if (RuleOf(method.path).role == Role::kNobody) continue;
    const grpc::Status status = CallWith("", method);
    EXPECT_THAT(status, HasCode(StatusCode::UNAUTHENTICATED)) << method.path;
    EXPECT_THAT(status.error_message(),
                AllOf(HasSubstr("authorization: Bearer"), HasSubstr("/state/admin-token"),
                      HasSubstr("gocometctl token create")));
  }
}

TEST_F(Access, EveryMethodRefusesAWrongToken) {
  for (const Method& method : PublicMethods()) {
    EXPECT_THAT(CallWith(MakeTokenText("cccccccccccc", std::string(64, 'd')), method),
                HasCode(StatusCode::UNAUTHENTICATED))
        << method.path;
  }
}

TEST_F(Access, NothingOfARefusedCallHappens) {
  EXPECT_THAT(Scale(TextOf("viewer"), 5), HasCode(StatusCode::PERMISSION_DENIED));
  EXPECT_THAT(Scale("", 5), HasCode(StatusCode::UNAUTHENTICATED));
  world_.OnOwner([](Cluster& cluster) {
    EXPECT_EQ(cluster.desired_state().newest().number, 1U);
    EXPECT_EQ(cluster.desired_state().config().services.at(0).replicas, 3U);
  });
}

TEST_F(Access, TheTokenOfAWorkerOrBalancerIsNoneHere) {
  for (const std::string& bearer :
       {"worker/" + world_.InstanceOf("worker-0"), std::string("balancer/balancer-0")}) {
    const grpc::Status status = GetStatus(world_.Token(bearer));
    EXPECT_THAT(status, HasCode(StatusCode::UNAUTHENTICATED));
    EXPECT_THAT(status.error_message(), Not(HasSubstr(world_.Token(bearer))));
  }
}

TEST_F(Access, OtherSchemesThanBearerAreNoToken) {
  for (const std::string& header :
       {TextOf("admin"), "Basic " + TextOf("admin"), std::string(), "Bearer" + TextOf("admin")}) {
    Call call;
    call.AddMetadata("authorization", header);
    v1::ClusterStatus status;
    EXPECT_THAT(world_.Stub<v1::ClusterService>()->GetStatus(&call, {}, &status),
                HasCode(StatusCode::UNAUTHENTICATED))
        << header;
  }
}

TEST_F(Access, TheSchemeIsReadInAnyCase) {
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER "}) {
    Call call;
    call.AddMetadata("authorization", scheme + TextOf("viewer"));
    v1::ClusterStatus status;
    EXPECT_TRUE(world_.Stub<v1::ClusterService>()->GetStatus(&call, {}, &status).ok()) << scheme;
  }
}

TEST_F(Access, TellsCallersWhoTheyAre) {
  const v1::WhoAmIResponse nobody = WhoAmI("");
  EXPECT_EQ(nobody.role(), v1::ROLE_UNSPECIFIED);
  EXPECT_EQ(nobody.name(), "");
  EXPECT_EQ(nobody.local_token_file(), "/state/admin-token");
  const v1::WhoAmIResponse somebody = WhoAmI(TextOf("operator"));
  EXPECT_EQ(somebody.role(), v1::ROLE_OPERATOR);
  EXPECT_EQ(somebody.name(), "operator");
}

class AnonymousAccess : public Access {
 protected:
  AnonymousAccess() : Access({.anonymous_local = Role::kViewer}) {}
};

TEST_F(AnonymousAccess, LooksAndChangesNothing) {
  EXPECT_TRUE(GetStatus("").ok());
  EXPECT_THAT(Scale("", 5), HasCode(StatusCode::UNAUTHENTICATED));
  EXPECT_THAT(CallWith("", {"/gocomet.v1.ConfigService/GetConfig"}),
              HasCode(StatusCode::UNAUTHENTICATED))
      << "configs may hold secrets";
}

TEST_F(AnonymousAccess, IsNotWhatAWrongTokenFallsBackTo) {
  EXPECT_THAT(GetStatus("hunter2"), HasCode(StatusCode::UNAUTHENTICATED));
}

TEST_F(Access, ATokenIsGoodFromTheMomentItIsMade) {
  const std::string text = Create("ci", v1::ROLE_OPERATOR);
  EXPECT_THAT(text, StartsWith("gocomet_"));
  EXPECT_TRUE(Scale(text, 4).ok());
  EXPECT_EQ(WhoAmI(text).name(), "ci");
}

TEST_F(Access, ATokenIsShownOnceAndNeverAgain) {
  const std::string text = Create("ci", v1::ROLE_OPERATOR);
  const std::string secret(ParseTokenText(text)->secret);
  const v1::ListTokensResponse list = List();
  ASSERT_EQ(list.tokens_size(), 4);
  EXPECT_EQ(list.tokens(1).name(), "ci");
  EXPECT_EQ(list.tokens(1).id(), ParseTokenText(text)->id);
  EXPECT_EQ(list.tokens(1).role(), v1::ROLE_OPERATOR);
  EXPECT_EQ(list.tokens(1).author(), "admin");
  EXPECT_THAT(list.DebugString(), Not(HasSubstr(secret)));
  for (const Event& event : EventsOf("Audit", 1))
    EXPECT_THAT(event.message, Not(HasSubstr(secret)));
}

TEST_F(Access, ADeletedTokenLetsNobodyIn) {
  const std::string text = Create("ci", v1::ROLE_OPERATOR);
  EXPECT_TRUE(Delete("ci").ok());
  EXPECT_THAT(Scale(text, 4), HasCode(StatusCode::UNAUTHENTICATED));
  EXPECT_THAT(Delete("ci"), RefusedAt(StatusCode::NOT_FOUND, "name"));
  EXPECT_NE(Create("ci", v1::ROLE_OPERATOR), text) << "its name is free again";
}

TEST_F(Access, StreamsEndWithTheirToken) {
  const std::string text = Create("ci", v1::ROLE_VIEWER);
  Present call(text);
  const auto stub = world_.Stub<v1::WorkerService>();
  const auto reader = stub->WatchWorkers(&call, {});
  v1::WorkerChange change;
  ASSERT_TRUE(reader->Read(&change));
  Present other_call(TextOf("viewer"));
  const auto other = stub->WatchWorkers(&other_call, {});
  ASSERT_TRUE(other->Read(&change));

  EXPECT_TRUE(Delete("ci").ok());

  while (reader->Read(&change)) {
  }
  const grpc::Status status = reader->Finish();
  EXPECT_THAT(status, HasCode(StatusCode::UNAUTHENTICATED));
  EXPECT_THAT(status.error_message(), HasSubstr("has been deleted"));
  EXPECT_TRUE(Scale(TextOf("admin"), 4).ok());
  EXPECT_TRUE(other->Read(&change)) << "streams of other tokens go on";
  other_call.TryCancel();
  while (other->Read(&change)) {
  }
  other->Finish();
}

TEST_F(Access, ATokenIsGoodForItsLifetime) {
  v1::CreateTokenRequest request;
  request.set_name("short");
  request.set_role(v1::ROLE_VIEWER);
  request.mutable_lifetime()->set_seconds(1);
  v1::CreateTokenResponse made;
  ASSERT_TRUE(Create(TextOf("admin"), request, &made).ok());
  EXPECT_EQ(made.token().expire_time().seconds() - made.token().create_time().seconds(), 1);
  const auto deadline = std::chrono::steady_clock::now() + kCallPatience;
  grpc::Status status = GetStatus(made.secret());
  while (status.ok() && std::chrono::steady_clock::now() < deadline) {
    status = GetStatus(made.secret());
    if (status.error_code() == StatusCode::RESOURCE_EXHAUSTED) status = grpc::Status::OK;
  }
  EXPECT_THAT(status, HasCode(StatusCode::UNAUTHENTICATED));
  EXPECT_THAT(status.error_message(), HasSubstr("'short' has expired"));
}

TEST_F(Access, BadRequestsForTokensNameTheFieldAndMakeNone) {
  const auto refusal = [this](const std::function<void(v1::CreateTokenRequest&)>& change) {
    v1::CreateTokenRequest request;
    request.set_name("ci");
    request.set_role(v1::ROLE_VIEWER);
    change(request);
    v1::CreateTokenResponse response;
    return Create(TextOf("admin"), request, &response);
  };
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  EXPECT_THAT(refusal([](auto& r) { r.set_name(""); }), RefusedAt(invalid, "name"));
  EXPECT_THAT(refusal([](auto& r) { r.set_name("Ci"); }), RefusedAt(invalid, "name"));
  EXPECT_THAT(refusal([](auto& r) { r.clear_role(); }), RefusedAt(invalid, "role"));
  EXPECT_THAT(refusal([](auto& r) { r.set_role(static_cast<v1::Role>(9)); }),
              RefusedAt(invalid, "role"));
  EXPECT_THAT(refusal([](auto& r) { r.mutable_lifetime()->set_seconds(0); }),
              RefusedAt(invalid, "lifetime"));
  EXPECT_THAT(refusal([](auto& r) { r.mutable_lifetime()->set_seconds(int64_t{1} << 62); }),
              RefusedAt(invalid, "lifetime"));
  EXPECT_THAT(refusal([](auto& r) { r.set_author("a\nb"); }), RefusedAt(invalid, "author"));
  EXPECT_THAT(refusal([](auto& r) { r.set_name("viewer"); }),
              RefusedAt(StatusCode::ALREADY_EXISTS, "name"));
  EXPECT_EQ(List().tokens_size(), 3);
}

TEST_F(Access, AnAuthorIsWhoCameInAndWhomTheySayItIsFor) {
  EXPECT_TRUE(Scale(TextOf("operator"), 4, "ada").ok());
  world_.OnOwner([](Cluster& cluster) {
    EXPECT_EQ(cluster.desired_state().newest().author, "operator for ada");
  });
}

TEST_F(Access, EveryChangeIsAnEventWithItsAuthor) {
  EXPECT_TRUE(Scale(TextOf("operator"), 4, "ada").ok());
  const std::vector<Event> events = EventsOf("Audit", 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].subject, "token/operator");
  EXPECT_EQ(events[0].severity, Severity::kInfo);
  EXPECT_EQ(events[0].message, "ServiceService/ScaleService replicas=4 for ada: OK");
}

TEST_F(Access, AnEventSaysForHowLongATokenIsGoodAndNotWhatItIs) {
  v1::CreateTokenRequest request;
  request.set_name("ci");
  request.set_role(v1::ROLE_VIEWER);
  request.mutable_lifetime()->set_seconds(3600);
  v1::CreateTokenResponse response;
  ASSERT_TRUE(Create(TextOf("admin"), request, &response).ok());
  const std::vector<Event> events = EventsOf("Audit", 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].message,
            "AccessService/CreateToken name=ci role=ROLE_VIEWER lifetime=3600s: OK");
}

TEST_F(Access, AChangeThatFailedIsAnEventToo) {
  EXPECT_THAT(Scale(TextOf("operator"), 5000), HasCode(StatusCode::INVALID_ARGUMENT));
  const std::vector<Event> events = EventsOf("Audit", 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].severity, Severity::kWarning);
  EXPECT_EQ(events[0].message, "ServiceService/ScaleService replicas=5000: INVALID_ARGUMENT");
}

TEST_F(Access, EveryMethodThatChangesSomethingIsRecorded) {
  size_t changes = 0;
  for (const Method& method : PublicMethods()) {
    if (!RuleOf(method.path).is_change) continue;
    ++changes;
    CallWith(TextOf("admin"), method);
    const std::vector<Event> events = EventsOf("Audit", changes);
    ASSERT_EQ(events.size(), changes) << method.path;
    EXPECT_THAT(events.back().message, StartsWith(method.path.substr(12))) << method.path;
    EXPECT_EQ(events.back().subject, "token/admin");
  }
}

TEST_F(Access, TheTextOfAConfigIsInNoEvent) {
  Present call(TextOf("admin"));
  v1::ApplyConfigRequest request;
  request.set_config_yaml("worker: 4 # hunter2\n");
  request.set_reason("on a\twhim");
  v1::ApplyConfigResponse response;
  world_.Stub<v1::ConfigService>()->ApplyConfig(&call, request, &response);
  const std::vector<Event> events = EventsOf("Audit", 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_THAT(events[0].message, AllOf(HasSubstr("reason='on a whim'"), Not(HasSubstr("hunter2"))));
}

TEST_F(Access, DenialsAreEventsAndDoNotPushEverythingElseOut) {
  for (int i = 0; i < 300; ++i) {
    EXPECT_THAT(Scale(TextOf("viewer"), 5), HasCode(StatusCode::PERMISSION_DENIED));
  }
  const std::vector<Event> events = EventsOf("AccessDenied", 10);
  EXPECT_GE(events.size(), 10U);
  EXPECT_LE(events.size(), 20U);
  EXPECT_EQ(events[0].subject, "token/viewer");
  EXPECT_EQ(events[0].message, "ServiceService/ScaleService as viewer, from 127.0.0.1");
}

}  // namespace
}  // namespace gocomet::controlplane
