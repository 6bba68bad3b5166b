// What programs that know nothing of us ask first: which services there are, and whether they
// serve.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "discovery.pb.h"
#include "tests/controlplane/rpc/named_call.h"
#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using gocomet::testing::HealthRequest;
using gocomet::testing::HealthResponse;
using gocomet::testing::ReflectionRequest;
using gocomet::testing::ReflectionResponse;
using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;

using Reflection = NamedCall<ReflectionRequest, ReflectionResponse>;
constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
using Health = NamedCall<HealthRequest, HealthResponse>;

const std::vector<std::string> kServices = {
    "gocomet.v1.BalancerService", "gocomet.v1.ClusterService", "gocomet.v1.ConfigService",
    "gocomet.v1.EventService",    "gocomet.v1.ServiceService", "gocomet.v1.StatisticsService",
    "gocomet.v1.WorkerService"};

// As grpc_cli does: one question, one answer, then the end of the stream.
ReflectionResponse Ask(const RpcWorld& world, const ReflectionRequest& question) {
  Reflection call(world.channel(), kReflection);
  EXPECT_TRUE(call.Write(question));
  ReflectionResponse answer;
  EXPECT_TRUE(call.Read(&answer));
  call.WritesDone();
  const grpc::Status status = call.Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return answer;
}

TEST(Reflection, ListsEveryServiceThatPeopleMayCall) {
  RpcWorld world;
  ReflectionRequest question;
  question.set_list_services("");
  const ReflectionResponse answer = Ask(world, question);
  std::vector<std::string> names;
  for (const auto& service : answer.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, IsSupersetOf(kServices));
  EXPECT_THAT(names, Contains("grpc.health.v1.Health"));
  EXPECT_THAT(names, Not(Contains("gocomet.v1.ReportService")));
  EXPECT_THAT(names, Not(Contains("gocomet.v1.DataPlaneService")));
}

TEST(Reflection, DescribesEachServiceWithItsMethods) {
  RpcWorld world;
  for (const std::string& name : kServices) {
    ReflectionRequest question;
    question.set_file_containing_symbol(name);
    const auto answer = Ask(world, question);
    ASSERT_GT(answer.file_descriptor_response().file_descriptor_proto_size(), 0) << name;
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(answer.file_descriptor_response().file_descriptor_proto(0)));
    bool found = false;
    for (const auto& service : file.service()) {
      if (Cat(file.package(), ".", service.name()) != name) continue;
      found = service.method_size() > 0;
    }
    EXPECT_TRUE(found) << name;
  }
}

TEST(Reflection, SaysSoWhereThereIsNoSuchThing) {
  RpcWorld world;
  ReflectionRequest question;
  question.set_file_containing_symbol("gocomet.v1.NoSuchService");
  EXPECT_EQ(Ask(world, question).error_response().error_code(),
            static_cast<int>(grpc::StatusCode::NOT_FOUND));
}

TEST(Reflection, StreamsThatSayNothingKeepNobodyOut) {
  RpcWorld world;
  std::vector<std::unique_ptr<Reflection>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<Reflection>(world.channel(), kReflection));
  }
  Call call;
  v1::ListWorkersResponse response;
  EXPECT_TRUE(world.Stub<v1::WorkerService>()->ListWorkers(&call, {}, &response).ok());
}

grpc::Status Check(const RpcWorld& world, const std::string& service, HealthResponse* response) {
  Health call(world.channel(), "/grpc.health.v1.Health/Check");
  HealthRequest request;
  request.set_service(service);
  call.Write(request);
  call.WritesDone();
  call.Read(response);
  return call.Finish();
}

TEST(Status, NamesTheAddressThatTheServerListensOn) {
  RpcWorld world;
  Call call;
  v1::ClusterStatus status;
  ASSERT_TRUE(world.Stub<v1::ClusterService>()->GetStatus(&call, {}, &status).ok());
  EXPECT_EQ(status.grpc_address(), world.public_address());
}

TEST(Health, TheServerAndEachServiceServe) {
  RpcWorld world;
  std::vector<std::string> names = kServices;
  names.push_back("");
  for (const std::string& name : names) {
    HealthResponse response;
    const grpc::Status status = Check(world, name, &response);
    EXPECT_TRUE(status.ok()) << "'" << name << "': " << status.error_message();
    EXPECT_EQ(response.status(), HealthResponse::SERVING) << "'" << name << "'";
  }
}

TEST(Health, AServiceThatDoesNotExistIsNotFound) {
  RpcWorld world;
  HealthResponse response;
  EXPECT_THAT(Check(world, "gocomet.v1.NoSuchService", &response),
              HasCode(grpc::StatusCode::NOT_FOUND));
}

TEST(Health, WatchingAnswersAtOnce) {
  RpcWorld world;
  Health call(world.channel(), "/grpc.health.v1.Health/Watch");
  call.Write(HealthRequest());
  call.WritesDone();
  HealthResponse response;
  ASSERT_TRUE(call.Read(&response));
  EXPECT_EQ(response.status(), HealthResponse::SERVING);
}

}  // namespace
}  // namespace gocomet::controlplane
