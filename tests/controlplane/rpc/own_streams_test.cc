// The streams of balancers and workers: who may open them, and what ends them.
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/controlplane/rpc/rpc_world.h"

namespace gocomet::controlplane {
namespace {

using grpc::StatusCode;

// One end of a bidirectional stream that says what it is told to.
template <typename Request, typename Response>
class Peer {
 public:
  template <typename Open>
  Peer(const std::string& token, Open open) {
    if (!token.empty()) call_.AddMetadata("authorization", "Bearer " + token);
    stream_ = open(&call_);
  }
  // Says goodbye where the test did not.
  ~Peer() {
    if (stream_) call_.TryCancel();
    if (stream_ && !finished_) Status();
  }

  void Say(const Request& request) { stream_->Write(request); }
  void SayNothingMore() { stream_->WritesDone(); }
  // The next answer that `wanted` accepts; false where the stream ended before.
  bool Hears(const std::function<bool(const Response&)>& wanted) {
    Response response;
    while (stream_->Read(&response)) {
      if (wanted(response)) return true;
    }
    return false;
  }
  // Reads to the end.
  grpc::Status Status() {
    finished_ = true;
    Response response;
    while (stream_->Read(&response)) {
    }
    return stream_->Finish();
  }

 private:
  Call call_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
  bool finished_ = false;
};

class OwnStreams : public ::testing::Test {
 protected:
  using Balancer = Peer<v1::SyncRequest, v1::SyncResponse>;
  using Worker = Peer<v1::ReportRequest, v1::ReportResponse>;

  Balancer OpenSync(const std::string& token) {
    return Balancer(token, [&](grpc::ClientContext* call) { return data_plane_->Sync(call); });
  }
  Worker OpenReport(const std::string& token) {
    return Worker(token, [&](grpc::ClientContext* call) { return reports_->Report(call); });
  }

  static v1::SyncRequest BalancerHello(const std::string& name = "balancer-0") {
    v1::SyncRequest request;
    request.mutable_hello()->set_balancer(name);
    request.mutable_hello()->set_incarnation(1);
    request.mutable_hello()->set_pid(4242);
    request.mutable_hello()->set_version("1.0");
    return request;
  }
  static v1::SyncRequest BalancerReport(uint64_t sequence) {
    v1::SyncRequest request;
    request.mutable_report()->set_sequence(sequence);
    return request;
  }
  v1::ReportRequest WorkerHello() const {
    v1::ReportRequest request;
    request.mutable_hello()->set_instance(instance_);
    request.mutable_hello()->set_worker_id("abc000000000");
    request.mutable_hello()->set_incarnation(1);
    request.mutable_hello()->set_pid(4343);
    return request;
  }
  static v1::ReportRequest WorkerReport(uint64_t sequence, uint64_t successful) {
    v1::ReportRequest request;
    request.mutable_report()->set_sequence(sequence);
    request.mutable_report()->mutable_counters()->set_successful(successful);
    return request;
  }
  // Says hello; answers with the version of the snapshot that comes back.
  static uint64_t Greet(Balancer& balancer) {
    uint64_t version = 0;
    balancer.Say(BalancerHello());
    EXPECT_TRUE(balancer.Hears([&version](const v1::SyncResponse& response) {
      version = response.snapshot().version();
      return response.has_snapshot();
    }));
    return version;
  }
  uint64_t Successful() {
    uint64_t successful = 0;
    world_.OnOwner([&](Cluster& cluster) { successful = cluster.ledger().Total("").successful; });
    return successful;
  }

  RpcWorld world_;
  const std::string instance_ = world_.InstanceOf("worker-0");
  const std::string balancer_token_ = world_.Token("balancer/balancer-0");
  const std::string worker_token_ = world_.Token("worker/" + instance_);
  std::unique_ptr<v1::DataPlaneService::Stub> data_plane_ = world_.DataPlane();
  std::unique_ptr<v1::ReportService::Stub> reports_ = world_.Reports();
};

TEST_F(OwnStreams, ABalancerGetsASnapshotAndIsReadyOnceItHasTakenIt) {
  Balancer balancer = OpenSync(balancer_token_);
  const uint64_t version = Greet(balancer);
  v1::SyncRequest ack;
  ack.mutable_ack()->set_version(version);
  balancer.Say(ack);
  balancer.Say(BalancerReport(1));
  EXPECT_TRUE(balancer.Hears([](const auto& r) { return r.report_ack().sequence() == 1; }));
  Call call;
  v1::GetBalancerRequest request;
  request.set_name("balancer-0");
  v1::Balancer seen;
  ASSERT_TRUE(world_.Stub<v1::BalancerService>()->GetBalancer(&call, request, &seen).ok());
  EXPECT_EQ(seen.status().state(), v1::BALANCER_STATE_READY);
  EXPECT_EQ(seen.status().snapshot_version(), version);
}

TEST_F(OwnStreams, AWorkersReportIsCountedAndAcknowledged) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(WorkerReport(1, 7));
  EXPECT_TRUE(worker.Hears([](const auto& r) { return r.acknowledged_sequence() == 1; }));
  EXPECT_EQ(Successful(), 7U);
}

TEST_F(OwnStreams, ASecondReportWithTheSameSequenceIsAcknowledgedAndChangesNothing) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(WorkerReport(1, 7));
  EXPECT_TRUE(worker.Hears([](const auto& r) { return r.acknowledged_sequence() == 1; }));
  worker.Say(WorkerReport(1, 9));
  EXPECT_TRUE(worker.Hears([](const auto& r) { return r.acknowledged_sequence() == 1; }));
  EXPECT_EQ(Successful(), 7U);
}

TEST_F(OwnStreams, WithoutATokenABalancerIsNotHeard) {
  Balancer balancer = OpenSync("");
  balancer.Say(BalancerHello());
  EXPECT_THAT(balancer.Status(), HasCode(StatusCode::UNAUTHENTICATED));
}

TEST_F(OwnStreams, WithTheTokenOfAnotherABalancerIsNotHeard) {
  Balancer balancer = OpenSync(world_.Token("balancer/balancer-1"));
  balancer.Say(BalancerHello("balancer-0"));
  EXPECT_THAT(balancer.Status(), HasCode(StatusCode::UNAUTHENTICATED));
}

TEST_F(OwnStreams, AWorkersTokenIsNoBalancers) {
  Balancer balancer = OpenSync(worker_token_);
  balancer.Say(BalancerHello());
  EXPECT_THAT(balancer.Status(), HasCode(StatusCode::UNAUTHENTICATED));
}

TEST_F(OwnStreams, WithoutATokenAWorkerIsNotHeard) {
  Worker worker = OpenReport("");
  worker.Say(WorkerHello());
  EXPECT_THAT(worker.Status(), HasCode(StatusCode::UNAUTHENTICATED));
}

TEST_F(OwnStreams, WithTheTokenOfAnotherAWorkerIsNotHeard) {
  Worker worker = OpenReport(world_.Token("worker/" + world_.InstanceOf("worker-1")));
  worker.Say(WorkerHello());
  EXPECT_THAT(worker.Status(), HasCode(StatusCode::UNAUTHENTICATED));
}

TEST_F(OwnStreams, AWorkerMayNotReportForAnother) {
  Worker worker = OpenReport(worker_token_);
  v1::ReportRequest hello = WorkerHello();
  hello.mutable_hello()->set_worker_id("abc000000001");
  worker.Say(hello);
  worker.Say(WorkerReport(1, 7));
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::PERMISSION_DENIED, "hello.worker_id"));
  EXPECT_EQ(Successful(), 0U);
}

TEST_F(OwnStreams, ABalancerThatNobodyWantsIsSentAway) {
  Balancer balancer = OpenSync(world_.Token("balancer/balancer-9"));
  balancer.Say(BalancerHello("balancer-9"));
  EXPECT_THAT(balancer.Status(), RefusedAt(StatusCode::NOT_FOUND, "hello.balancer"));
}

TEST_F(OwnStreams, AWorkerThatNobodyWantsIsSentAway) {
  Worker worker = OpenReport(world_.Token("worker/0123456789ab"));
  v1::ReportRequest hello = WorkerHello();
  hello.mutable_hello()->set_instance("0123456789ab");
  worker.Say(hello);
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::NOT_FOUND, "hello.instance"));
}

TEST_F(OwnStreams, ABalancerMustBeginWithAHello) {
  Balancer balancer = OpenSync(balancer_token_);
  balancer.Say(BalancerReport(1));
  EXPECT_THAT(balancer.Status(), RefusedAt(StatusCode::FAILED_PRECONDITION, "hello"));
}

TEST_F(OwnStreams, AWorkerMustBeginWithAHello) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerReport(1, 7));
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::FAILED_PRECONDITION, "hello"));
  EXPECT_EQ(Successful(), 0U);
}

TEST_F(OwnStreams, AWorkerThatEndsWithoutAHelloIsTold) {
  Worker worker = OpenReport(worker_token_);
  worker.SayNothingMore();
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::FAILED_PRECONDITION, "hello"));
}

TEST_F(OwnStreams, ABalancerSaysHelloOnce) {
  Balancer balancer = OpenSync(balancer_token_);
  Greet(balancer);
  balancer.Say(BalancerHello());
  EXPECT_THAT(balancer.Status(), RefusedAt(StatusCode::FAILED_PRECONDITION, "hello"));
}

TEST_F(OwnStreams, AWorkerSaysHelloOnce) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(WorkerHello());
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::FAILED_PRECONDITION, "hello"));
}

TEST_F(OwnStreams, ASecondStreamOfABalancerEndsTheFirst) {
  Balancer first = OpenSync(balancer_token_);
  Greet(first);
  Balancer second = OpenSync(balancer_token_);
  Greet(second);
  EXPECT_THAT(first.Status(), HasCode(StatusCode::ABORTED));
}

TEST_F(OwnStreams, ASecondStreamOfAWorkerEndsTheFirst) {
  Worker first = OpenReport(worker_token_);
  first.Say(WorkerHello());
  ASSERT_TRUE(first.Hears([](const auto& r) { return r.has_settings(); }));
  Worker second = OpenReport(worker_token_);
  second.Say(WorkerHello());
  EXPECT_THAT(first.Status(), HasCode(StatusCode::ABORTED));
}

TEST_F(OwnStreams, ABalancerMayNotTakeASnapshotThatItWasNeverSent) {
  Balancer balancer = OpenSync(balancer_token_);
  const uint64_t version = Greet(balancer);
  v1::SyncRequest ack;
  ack.mutable_ack()->set_version(version + 1);
  balancer.Say(ack);
  EXPECT_THAT(balancer.Status(), RefusedAt(StatusCode::INVALID_ARGUMENT, "ack.version"));
}

TEST_F(OwnStreams, ABalancersSequenceMayNotGoBack) {
  Balancer balancer = OpenSync(balancer_token_);
  Greet(balancer);
  balancer.Say(BalancerReport(5));
  balancer.Say(BalancerReport(4));
  EXPECT_THAT(balancer.Status(), RefusedAt(StatusCode::INVALID_ARGUMENT, "report.sequence"));
}

TEST_F(OwnStreams, AWorkersSequenceMayNotGoBack) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(WorkerReport(5, 7));
  worker.Say(WorkerReport(4, 9));
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::INVALID_ARGUMENT, "report.sequence"));
  EXPECT_EQ(Successful(), 7U);
}

TEST_F(OwnStreams, AWorkersSequenceBeginsAtOne) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(WorkerReport(0, 7));
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::INVALID_ARGUMENT, "report.sequence"));
}

TEST_F(OwnStreams, AWorkersCountersMayNotGoBack) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(WorkerReport(1, 7));
  worker.Say(WorkerReport(2, 6));
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::INVALID_ARGUMENT, "report.counters"));
  EXPECT_EQ(Successful(), 7U);
}

TEST_F(OwnStreams, CountersThatNobodyCanHaveCountedAreRefused) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(WorkerReport(1, ~uint64_t{0}));
  EXPECT_THAT(worker.Status(), RefusedAt(StatusCode::INVALID_ARGUMENT, "report.counters"));
  EXPECT_EQ(Successful(), 0U);
}

TEST_F(OwnStreams, AnEmptyMessageIsRefused) {
  Worker worker = OpenReport(worker_token_);
  worker.Say(WorkerHello());
  worker.Say(v1::ReportRequest());
  EXPECT_THAT(worker.Status(), HasCode(StatusCode::INVALID_ARGUMENT));
}

TEST_F(OwnStreams, AnIllFormedHelloOfABalancerIsRefusedAtItsField) {
  const auto refusal = [this](const std::function<void(v1::BalancerHello&)>& change) {
    v1::SyncRequest request = BalancerHello();
    change(*request.mutable_hello());
    Balancer balancer = OpenSync(balancer_token_);
    balancer.Say(request);
    return balancer.Status();
  };
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  EXPECT_THAT(refusal([](auto& h) { h.set_balancer(""); }), RefusedAt(invalid, "hello.balancer"));
  EXPECT_THAT(refusal([](auto& h) { h.set_balancer("a b"); }),
              RefusedAt(invalid, "hello.balancer"));
  EXPECT_THAT(refusal([](auto& h) { h.set_incarnation(0); }),
              RefusedAt(invalid, "hello.incarnation"));
  EXPECT_THAT(refusal([](auto& h) { h.set_pid(-1); }), RefusedAt(invalid, "hello.pid"));
  EXPECT_THAT(refusal([](auto& h) { h.set_version(std::string(100, '1')); }),
              RefusedAt(invalid, "hello.version"));
}

TEST_F(OwnStreams, AnIllFormedHelloOfAWorkerIsRefusedAtItsField) {
  const auto refusal = [this](const std::function<void(v1::WorkerHello&)>& change) {
    v1::ReportRequest request = WorkerHello();
    change(*request.mutable_hello());
    Worker worker = OpenReport(worker_token_);
    worker.Say(request);
    return worker.Status();
  };
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  EXPECT_THAT(refusal([](auto& h) { h.set_instance(""); }), RefusedAt(invalid, "hello.instance"));
  EXPECT_THAT(refusal([](auto& h) { h.set_worker_id("short"); }),
              RefusedAt(invalid, "hello.worker_id"));
  EXPECT_THAT(refusal([](auto& h) { h.set_incarnation(0); }),
              RefusedAt(invalid, "hello.incarnation"));
  EXPECT_THAT(refusal([](auto& h) { h.set_pid(-1); }), RefusedAt(invalid, "hello.pid"));
}

TEST_F(OwnStreams, AnIllFormedReportOfABalancerIsRefusedAtItsField) {
  const auto refusal = [this](const std::function<void(v1::EndpointReport&)>& change) {
    Balancer balancer = OpenSync(balancer_token_);
    Greet(balancer);
    v1::SyncRequest request = BalancerReport(1);
    v1::EndpointReport* endpoint = request.mutable_report()->add_endpoints();
    endpoint->set_worker_id("abc000000000");
    for (int i = 0; i < 5; ++i) endpoint->add_by_status_class(0);
    change(*endpoint);
    balancer.Say(request);
    return balancer.Status();
  };
  const auto invalid = StatusCode::INVALID_ARGUMENT;
  EXPECT_THAT(refusal([](auto& e) { e.set_worker_id("x"); }),
              RefusedAt(invalid, "report.endpoints[0].worker_id"));
  EXPECT_THAT(refusal([](auto& e) { e.add_by_status_class(1); }),
              RefusedAt(invalid, "report.endpoints[0].by_status_class"));
}

TEST(SilentStreams, AreEndedAfterAWhile) {
  RpcWorld world(std::chrono::milliseconds(100));
  const auto reports = world.Reports();
  Peer<v1::ReportRequest, v1::ReportResponse> worker(
      "any", [&](grpc::ClientContext* call) { return reports->Report(call); });
  EXPECT_THAT(worker.Status(), HasCode(StatusCode::DEADLINE_EXCEEDED));
  const auto data_plane = world.DataPlane();
  Peer<v1::SyncRequest, v1::SyncResponse> balancer(
      "any", [&](grpc::ClientContext* call) { return data_plane->Sync(call); });
  EXPECT_THAT(balancer.Status(), HasCode(StatusCode::DEADLINE_EXCEEDED));
}

}  // namespace
}  // namespace gocomet::controlplane
