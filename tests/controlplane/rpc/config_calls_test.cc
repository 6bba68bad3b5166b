// Revisions through the API: what they say, in what they differ, what a change would do.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kTwoServices[] =
    "services:\n  web: {command: [./web], port: 8000, environment: {TOKEN: hunter2}}\n"
    "  worker: {}\n"
    "routes:\n  - {name: all, service: web}\n  - {name: rest, service: worker}\n";

v1::ApplyConfigResponse Apply(RpcWorld& world, const std::string& text) {
  Call call;
  v1::ApplyConfigRequest request;
  request.set_config_yaml(text);
  v1::ApplyConfigResponse response;
  const grpc::Status status =
      world.Stub<v1::ConfigService>()->ApplyConfig(&call, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

grpc::Status Diff(RpcWorld& world, uint64_t from, uint64_t to,
                  v1::DiffRevisionsResponse& response) {
  Call call;
  v1::DiffRevisionsRequest request;
  request.set_from_revision(from);
  request.set_to_revision(to);
  return world.Stub<v1::ConfigService>()->DiffRevisions(&call, request, &response);
}

TEST(ConfigCalls, DiffNamesTheFieldsAndHidesSecrets) {
  RpcWorld world;
  Apply(world, kTwoServices);
  v1::DiffRevisionsResponse diff;
  ASSERT_TRUE(Diff(world, 1, 0, diff).ok());
  EXPECT_EQ(diff.from().number(), 1);
  EXPECT_EQ(diff.to().number(), 2);
  EXPECT_THAT(diff.ShortDebugString(), HasSubstr("services.web.environment.TOKEN"));
  EXPECT_THAT(diff.ShortDebugString(), HasSubstr("(hidden)"));
  EXPECT_THAT(diff.ShortDebugString(), Not(HasSubstr("hunter2")));
}

TEST(ConfigCalls, DiffIsRefusedForRevisionsThatDoNotExist) {
  RpcWorld world;
  v1::DiffRevisionsResponse diff;
  EXPECT_THAT(Diff(world, 0, 1, diff),
              RefusedAt(grpc::StatusCode::INVALID_ARGUMENT, "from_revision"));
  EXPECT_THAT(Diff(world, 9, 1, diff), RefusedAt(grpc::StatusCode::NOT_FOUND, "from_revision"));
  EXPECT_THAT(Diff(world, 1, 9, diff), RefusedAt(grpc::StatusCode::NOT_FOUND, "to_revision"));
}

TEST(ConfigCalls, TheLongFormIsGivenWhereItIsAskedFor) {
  RpcWorld world;
  for (const bool rendered : {false, true}) {
    Call call;
    v1::GetConfigRequest request;
    request.set_rendered(rendered);
    v1::GetConfigResponse response;
    ASSERT_TRUE(world.Stub<v1::ConfigService>()->GetConfig(&call, request, &response).ok());
    if (rendered) {
      EXPECT_THAT(response.rendered_yaml(), HasSubstr("services:\n  worker:\n    demo:\n"));
    } else {
      EXPECT_THAT(response.rendered_yaml(), IsEmpty());
    }
  }
}

TEST(ConfigCalls, AnAppliedConfigKeepsItsWarnings) {
  RpcWorld world;
  const v1::ApplyConfigResponse applied = Apply(world, kTwoServices);
  ASSERT_EQ(applied.warnings_size(), 1);
  EXPECT_THAT(applied.warnings(0).message(), HasSubstr("route rest gets no requests"));
}

TEST(ConfigCalls, AServiceThatTheRuntimeCannotRunIsRefusedAtItsPlace) {
  RpcWorld world;
  Call call;
  v1::ValidateConfigRequest request;
  request.set_config_yaml("services:\n  web:\n    image: nginx\n");
  v1::ValidateConfigResponse response;
  ASSERT_TRUE(world.Stub<v1::ConfigService>()->ValidateConfig(&call, request, &response).ok());
  ASSERT_EQ(response.problems_size(), 1) << response.DebugString();
  EXPECT_EQ(response.problems(0).key(), "services.web.image");
  EXPECT_EQ(response.problems(0).line(), 3);
  EXPECT_THAT(response.problems(0).message(),
              HasSubstr("needs the runtime docker, and the runtime is process"));
}

TEST(ConfigCalls, APlanTellsStepsCapacityAndPortsToPrograms) {
  RpcWorld world;
  Call call;
  v1::PlanConfigRequest request;
  request.set_config_yaml(
      "worker: 2\nworker-port: 7000\nservices: {worker: {health: {path: \"\"}}}\n");
  v1::PlanConfigResponse plan;
  ASSERT_TRUE(world.Stub<v1::ConfigService>()->PlanConfig(&call, request, &plan).ok());
  ASSERT_EQ(plan.services_size(), 1) << plan.DebugString();
  const v1::ServicePlan& service = plan.services(0);
  EXPECT_EQ(service.service(), "worker");
  EXPECT_EQ(service.serving(), 3);
  EXPECT_EQ(service.lowest_serving(), 2);
  EXPECT_EQ(service.first_port(), 7000);
  ASSERT_GE(service.steps_size(), 1);
  EXPECT_EQ(service.steps(0).kind(), v1::WORKER_STEP_KIND_STOP);
  EXPECT_EQ(service.steps(0).worker(), "worker-2");
}

}  // namespace
}  // namespace gocomet::controlplane
