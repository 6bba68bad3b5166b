#include "controlplane/rpc/sync_services.h"

#include <memory>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/outgoing.h"
#include "controlplane/rpc/status.h"

namespace gocomet::controlplane {
namespace {

// Of several unsent messages of these kinds only the newest matters.
enum Slot : int { kEach = 0, kSnapshot = 1, kAck = 2, kSettings = 3, kStatistics = 4 };

std::string BearerToken(const grpc::CallbackServerContext& context) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto found = context.client_metadata().find("authorization");
  if (found == context.client_metadata().end()) return "";
  const std::string_view value(found->second.data(), found->second.size());
  return value.starts_with(kScheme) ? std::string(value.substr(kScheme.size())) : "";
}

const grpc::Status kNoHello{grpc::StatusCode::FAILED_PRECONDITION,
                            "the first message must be a hello"};
const grpc::Status kWrongToken{grpc::StatusCode::UNAUTHENTICATED,
                               "the token is not the one that was issued to this name"};

// The part that both kinds of streams share: reading one message after the other.
template <typename Request, typename Response>
class Session : public Outgoing<grpc::ServerBidiReactor<Request, Response>, Response> {
 public:
  void OnReadDone(bool ok) override {
    if (!ok) return this->End(grpc::Status::OK);
    OnMessage(request_);
    this->StartRead(&request_);
  }

 protected:
  virtual void OnMessage(const Request& request) = 0;
  Request request_;
};

class BalancerSession final : public Session<v1::SyncRequest, v1::SyncResponse>,
                              public BalancerStream {
 public:
  BalancerSession(Cluster& cluster, const TokenIssuer& tokens, std::string token)
      : cluster_(cluster), tokens_(tokens), token_(std::move(token)) {}

  void Start() {
    Begin([this] {
      auto self = Self();
      cluster_.mailbox().Post(
          [self] { self->cluster_.balancers().Disconnect(self->hello_.name, self.get()); });
    });
    StartRead(&request_);
  }

  void SendSnapshot(std::shared_ptr<const Snapshot> snapshot) override {
    v1::SyncResponse response;
    *response.mutable_snapshot() = ToProto(*snapshot);
    Send(std::move(response), kSnapshot);
  }
  void AcknowledgeReport(uint64_t sequence) override {
    v1::SyncResponse response;
    response.mutable_report_ack()->set_sequence(sequence);
    Send(std::move(response), kAck);
  }
  void Close(const absl::Status& status) override { End(ToGrpc(status)); }

 private:
  std::shared_ptr<BalancerSession> Self() {
    return std::static_pointer_cast<BalancerSession>(shared_from_this());
  }

  void OnMessage(const v1::SyncRequest& request) override {
    if (request.has_hello()) return OnHello(request.hello());
    if (hello_.name.empty()) return End(kNoHello);
    if (request.has_ack()) {
      cluster_.mailbox().Post([self = Self(), ack = request.ack()] {
        self->cluster_.balancers().Acknowledge(self->hello_.name, self.get(), ack.version(),
                                               ack.refusal());
      });
    } else if (request.has_report()) {
      cluster_.mailbox().Post([self = Self(), report = FromProto(request.report())] {
        self->cluster_.ReportBalancer(self->hello_, self, report);
      });
    }
  }

  void OnHello(const v1::BalancerHello& hello) {
    if (!hello_.name.empty()) return;
    if (!tokens_.Accepts(Cat("balancer/", hello.balancer()), token_)) return End(kWrongToken);
    hello_ = {hello.balancer(), hello.incarnation(), hello.pid(), hello.version()};
    cluster_.mailbox().Post([self = Self()] {
      const absl::Status status = self->cluster_.balancers().Connect(self->hello_, self);
      if (!status.ok()) self->Close(status);
    });
  }

  BalancerReport FromProto(const v1::BalancerReport& proto) const {
    BalancerReport report;
    report.sequence = proto.sequence();
    report.connections = proto.connections();
    report.requests = proto.requests();
    for (const v1::EndpointReport& endpoint : proto.endpoints()) {
      report.endpoints.push_back({endpoint.worker_id(), endpoint.incarnation(), endpoint.healthy(),
                                  endpoint.health_reason(), endpoint.in_flight()});
      BalancedTotals totals;
      totals.balancer = hello_.name;
      totals.balancer_incarnation = hello_.incarnation;
      totals.worker_id = endpoint.worker_id();
      totals.worker_incarnation = endpoint.incarnation();
      totals.answered = endpoint.answered();
      for (int i = 0; i < 5 && i < endpoint.by_status_class_size(); ++i) {
        totals.by_status_class[i] = endpoint.by_status_class(i);
      }
      totals.connect_errors = endpoint.connect_errors();
      totals.resets = endpoint.resets();
      totals.timeouts = endpoint.timeouts();
      totals.retried = endpoint.retried();
      totals.bytes_to_worker = endpoint.bytes_to_worker();
      totals.bytes_from_worker = endpoint.bytes_from_worker();
      report.totals.push_back(std::move(totals));
    }
    return report;
  }

  Cluster& cluster_;
  const TokenIssuer& tokens_;
  const std::string token_;
  BalancerHello hello_;  // Written once, before anything is posted.
};

class WorkerSession final : public Session<v1::ReportRequest, v1::ReportResponse>,
                            public WorkerStream {
 public:
  WorkerSession(Cluster& cluster, const TokenIssuer& tokens, std::string token)
      : cluster_(cluster), tokens_(tokens), token_(std::move(token)) {}

  void Start() {
    Begin([this] {
      auto self = Self();
      cluster_.mailbox().Post(
          [self] { self->cluster_.DisconnectWorker(self->hello_.instance, self.get()); });
    });
    StartRead(&request_);
  }

  void SendSettings(const DemoWorker& settings) override {
    v1::ReportResponse response;
    *response.mutable_settings() = ToProto(settings);
    Send(std::move(response), kSettings);
  }
  void Acknowledge(uint64_t sequence) override {
    v1::ReportResponse response;
    response.set_acknowledged_sequence(sequence);
    Send(std::move(response), kAck);
  }
  void SendClusterStatistics(WallTime time, const std::vector<Ledger::WorkerRow>& rows) override {
    v1::ReportResponse response;
    v1::ClusterStatistics* cluster = response.mutable_cluster();
    *cluster->mutable_time() = ToProto(time);
    for (const Ledger::WorkerRow& row : rows) {
      v1::ClusterStatistics::Row* into = cluster->add_workers();
      into->set_worker_id(row.worker_id);
      *into->mutable_counters() = ToProto(row.counters);
    }
    Send(std::move(response), kStatistics);
  }
  void Close(const absl::Status& status) override { End(ToGrpc(status)); }

 private:
  std::shared_ptr<WorkerSession> Self() {
    return std::static_pointer_cast<WorkerSession>(shared_from_this());
  }

  void OnMessage(const v1::ReportRequest& request) override {
    if (request.has_hello()) return OnHello(request.hello());
    if (hello_.instance.empty()) return End(kNoHello);
    if (!request.has_report()) return;
    const v1::WorkerReport& report = request.report();
    const RequestCounters counters{report.counters().successful(), report.counters().failed(),
                                   report.counters().duration_microseconds()};
    cluster_.mailbox().Post([self = Self(), sequence = report.sequence(), counters,
                             want = report.want_cluster_statistics()] {
      self->cluster_.ReportWorker(self->hello_, self, sequence, counters, want);
    });
  }

  void OnHello(const v1::WorkerHello& hello) {
    if (!hello_.instance.empty()) return;
    if (!tokens_.Accepts(Cat("worker/", hello.instance()), token_)) return End(kWrongToken);
    hello_ = {hello.instance(), hello.worker_id(), hello.incarnation(), hello.pid()};
    cluster_.mailbox().Post([self = Self()] {
      const absl::Status status = self->cluster_.ConnectWorker(self->hello_, self);
      if (!status.ok()) self->Close(status);
    });
  }

  Cluster& cluster_;
  const TokenIssuer& tokens_;
  const std::string token_;
  WorkerHello hello_;  // Written once, before anything is posted.
};

}  // namespace

grpc::ServerBidiReactor<v1::SyncRequest, v1::SyncResponse>* DataPlaneService::Sync(
    grpc::CallbackServerContext* context) {
  auto session = std::make_shared<BalancerSession>(cluster_, tokens_, BearerToken(*context));
  session->Start();
  return session.get();
}

grpc::ServerBidiReactor<v1::ReportRequest, v1::ReportResponse>* ReportService::Report(
    grpc::CallbackServerContext* context) {
  auto session = std::make_shared<WorkerSession>(cluster_, tokens_, BearerToken(*context));
  session->Start();
  return session.get();
}

}  // namespace gocomet::controlplane
