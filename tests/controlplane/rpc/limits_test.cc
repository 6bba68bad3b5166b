// What a client can do to the server itself: bytes that are no message, messages and streams
// without end, connections that say nothing.
#include <sys/socket.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/access/token_text.h"
#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using grpc::StatusCode;

grpc::ByteBuffer Bytes(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// Calls a unary method with bytes that need not be its request.
grpc::Status CallWithBytes(RpcWorld& world, const std::string& method, const std::string& bytes) {
  grpc::GenericStub stub(world.channel());
  grpc::CompletionQueue queue;
  Call call;
  const auto rpc = stub.PrepareUnaryCall(&call, method, Bytes(bytes), &queue);
  rpc->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  rpc->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return status;
}

// Field 1 of a message, of wire type LEN.
std::string FieldOne(const std::string& text) {
  return Cat("\x0a", static_cast<char>(text.size()), text);
}

TEST(Limits, ATextThatIsNotUtf8IsRefusedAtItsField) {
  RpcWorld world;
  EXPECT_THAT(CallWithBytes(world, "/gocomet.v1.ConfigService/ApplyConfig", FieldOne("a: \xff")),
              RefusedAt(StatusCode::INVALID_ARGUMENT, "config_yaml"));
  EXPECT_THAT(CallWithBytes(world, "/gocomet.v1.WorkerService/GetWorker", FieldOne("\xc0\x80")),
              RefusedAt(StatusCode::INVALID_ARGUMENT, "id"));
  EXPECT_THAT(CallWithBytes(world, "/gocomet.v1.WorkerService/WatchWorkers", FieldOne("\xff")),
              RefusedAt(StatusCode::INVALID_ARGUMENT, "service"));
}

TEST(Limits, BytesThatAreNoMessageAreRefused) {
  RpcWorld world;
  for (const std::string method :
       {"/gocomet.v1.ConfigService/ApplyConfig", "/gocomet.v1.ClusterService/GetStatus",
        "/gocomet.v1.EventService/WatchEvents"}) {
    const grpc::Status status = CallWithBytes(world, method, "\x07\xff\xff");
    EXPECT_THAT(status, HasCode(StatusCode::INVALID_ARGUMENT)) << method;
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr(method.substr(1)));
  }
}

TEST(Limits, ARefusalOfOneCallIsNotMistakenForAnothers) {
  RpcWorld world;
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(CallWithBytes(world, "/gocomet.v1.WorkerService/GetWorker", FieldOne("\xff")),
                RefusedAt(StatusCode::INVALID_ARGUMENT, "id"));
    EXPECT_TRUE(
        CallWithBytes(world, "/gocomet.v1.WorkerService/GetWorker", FieldOne("worker-0")).ok());
    EXPECT_THAT(
        FieldsAtFault(CallWithBytes(world, "/gocomet.v1.WorkerService/GetWorker", "\x07\xff\xff")),
        ::testing::IsEmpty());
  }
}

TEST(Limits, AMessageAboveFourMebibytesIsRefused) {
  RpcWorld world;
  Call call;
  v1::ValidateConfigRequest request;
  request.set_config_yaml(std::string(5 << 20, '#'));
  v1::ValidateConfigResponse response;
  EXPECT_THAT(world.Stub<v1::ConfigService>()->ValidateConfig(&call, request, &response),
              HasCode(StatusCode::RESOURCE_EXHAUSTED));
}

TEST(Limits, AMethodThatDoesNotExistIsUnimplemented) {
  RpcWorld world;
  EXPECT_THAT(CallWithBytes(world, "/gocomet.v1.ConfigService/DropEverything", ""),
              HasCode(StatusCode::UNIMPLEMENTED));
}

TEST(Limits, TheServicesOfWorkersAndBalancersAreNotServedToPeople) {
  RpcWorld world;
  EXPECT_THAT(CallWithBytes(world, "/gocomet.v1.ReportService/Report", ""),
              HasCode(StatusCode::UNIMPLEMENTED));
  EXPECT_THAT(CallWithBytes(world, "/gocomet.v1.DataPlaneService/Sync", ""),
              HasCode(StatusCode::UNIMPLEMENTED));
}

// An open watch whose first message has come.
class OpenWatch {
 public:
  explicit OpenWatch(v1::WorkerService::Stub& stub)
      : reader_(stub.WatchWorkers(&call_, v1::WatchWorkersRequest())) {
    v1::WorkerChange change;
    served_ = reader_->Read(&change);
    if (!served_) status_ = reader_->Finish();
  }
  ~OpenWatch() {
    if (!served_) return;
    call_.TryCancel();
    v1::WorkerChange change;
    while (reader_->Read(&change)) {
    }
    reader_->Finish();
  }
  bool served() const { return served_; }
  const grpc::Status& status() const { return status_; }

 private:
  Call call_;
  std::unique_ptr<grpc::ClientReader<v1::WorkerChange>> reader_;
  bool served_ = false;
  grpc::Status status_;
};

TEST(Limits, OneWatchTooManyIsRefusedUntilAnotherEnds) {
  const AccessLimits generous{.calls_per_connection = {1e6, 1e6},
                              .calls_per_client = {1e6, 1e6},
                              .streams_per_connection = 1000,
                              .streams_per_client = 1000};
  RpcWorld world({.anonymous = Role::kAdmin}, generous);
  const auto stub = world.Stub<v1::WorkerService>();
  std::vector<std::unique_ptr<OpenWatch>> watches;
  for (int i = 0; i < RpcServer::kWatchesMax; ++i) {
    watches.push_back(std::make_unique<OpenWatch>(*stub));
    ASSERT_TRUE(watches.back()->served()) << i << ": " << watches.back()->status().error_message();
  }
  const OpenWatch refused(*stub);
  EXPECT_THAT(refused.status(), HasCode(StatusCode::RESOURCE_EXHAUSTED));
  EXPECT_THAT(refused.status().error_message(), ::testing::HasSubstr("256 streams"));

  Call call;
  v1::ListWorkersResponse response;
  EXPECT_TRUE(stub->ListWorkers(&call, {}, &response).ok()) << "other calls go on";

  watches.pop_back();
  const auto deadline = std::chrono::steady_clock::now() + kCallPatience;
  bool served = false;
  while (!served && std::chrono::steady_clock::now() < deadline) served = OpenWatch(*stub).served();
  EXPECT_TRUE(served) << "its place is free again";
}

// Calls of somebody with this token, until one is refused; whether that came to pass.
struct Refusal {
  bool came = false;
  std::string message;
  std::string retry_after;
};

Refusal CallUntilRefused(RpcWorld& world, const std::string& token) {
  const auto stub = world.Stub<v1::ClusterService>();
  for (int i = 0; i < 1000; ++i) {
    Call call;
    if (!token.empty()) call.AddMetadata("authorization", "Bearer " + token);
    v1::ClusterStatus response;
    const grpc::Status status = stub->GetStatus(&call, {}, &response);
    if (status.ok()) continue;
    EXPECT_THAT(status, HasCode(StatusCode::RESOURCE_EXHAUSTED));
    const auto& trailers = call.GetServerTrailingMetadata();
    const auto found = trailers.find("grpc-retry-pushback-ms");
    const bool says_when = found != trailers.end();
    return {true, status.error_message(),
            says_when ? std::string(found->second.data(), found->second.size()) : ""};
  }
  return {};
}

AccessToken TokenOf(const std::string& name, const std::string& text) {
  return {std::string(ParseTokenText(text)->id), name, Role::kViewer, HashToken(text)};
}

TEST(Limits, AConnectionThatCallsTooOftenIsToldTheLimitAndWhenToTryAgain) {
  RpcWorld world({.anonymous = Role::kViewer}, {.calls_per_connection = {2, 5}});
  const Refusal refusal = CallUntilRefused(world, "");
  ASSERT_TRUE(refusal.came);
  EXPECT_THAT(refusal.message,
              ::testing::ContainsRegex("a caller without a token at 127.0.0.1 makes more than the "
                                       "2 calls a second that one connection may; try again in "
                                       "[0-9]+ ms"));
  const int wait = std::atoi(refusal.retry_after.c_str());
  EXPECT_GE(wait, 1);
  EXPECT_LE(wait, 500) << "two a second";
}

TEST(Limits, AClientThatCallsTooOftenIsNoOthersLoss) {
  const std::string loop = MakeTokenText("aaaaaaaaaaaa", std::string(64, 'a'));
  const std::string calm = MakeTokenText("bbbbbbbbbbbb", std::string(64, 'b'));
  RpcWorld world({}, {.calls_per_connection = {1e6, 1e6}, .calls_per_client = {2, 5}},
                 {TokenOf("loop", loop), TokenOf("calm", calm)});
  const Refusal refusal = CallUntilRefused(world, loop);
  ASSERT_TRUE(refusal.came);
  EXPECT_THAT(refusal.message, ::testing::HasSubstr("the token 'loop' makes more than the 2 calls "
                                                    "a second that one client may"));
  Call call;
  call.AddMetadata("authorization", "Bearer " + calm);
  v1::ClusterStatus response;
  EXPECT_TRUE(world.Stub<v1::ClusterService>()->GetStatus(&call, {}, &response).ok())
      << "on the same connection";
}

TEST(Limits, AClientHasItsStreamsAndNoMore) {
  for (const auto& [limits, of] :
       {std::pair(AccessLimits{.streams_per_connection = 2}, "one connection"),
        std::pair(AccessLimits{.streams_per_client = 2}, "one client")}) {
    RpcWorld world({.anonymous = Role::kViewer}, limits);
    const auto stub = world.Stub<v1::WorkerService>();
    auto first = std::make_unique<OpenWatch>(*stub);
    const OpenWatch second(*stub);
    ASSERT_TRUE(first->served() && second.served());
    const OpenWatch third(*stub);
    EXPECT_THAT(third.status(), HasCode(StatusCode::RESOURCE_EXHAUSTED));
    EXPECT_THAT(third.status().error_message(),
                ::testing::HasSubstr(Cat("has all 2 streams open that ", of,
                                         " may have; close one and call again")));
    first.reset();
    const auto deadline = std::chrono::steady_clock::now() + kCallPatience;
    bool served = false;
    while (!served && std::chrono::steady_clock::now() < deadline)
      served = OpenWatch(*stub).served();
    EXPECT_TRUE(served) << "its place is free again";
  }
}

TEST(Limits, ConnectionsThatSayNothingKeepNobodyOut) {
  RpcWorld world;
  const auto address = *Address::Parse(world.public_address());
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 200; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(
        ::connect(silent.back().get(), address.socket_address(), address.socket_address_length()),
        0);
  }
  Call call;
  v1::ListWorkersResponse response;
  const auto stub = v1::WorkerService::NewStub(world.NewChannel());
  EXPECT_TRUE(stub->ListWorkers(&call, {}, &response).ok());
  EXPECT_EQ(response.workers_size(), 3);
}

}  // namespace
}  // namespace gocomet::controlplane
