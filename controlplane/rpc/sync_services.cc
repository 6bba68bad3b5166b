#include "controlplane/rpc/sync_services.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <grpcpp/alarm.h>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/outgoing.h"
#include "controlplane/rpc/request_checks.h"
#include "controlplane/rpc/status.h"
#include "controlplane/rpc/watch.h"

namespace gocomet::controlplane {

// Any thread.
class SnapshotEncoder {
 public:
  // Of `SyncResponse { snapshot }`; the same bytes for the same snapshot, shared and not copied.
  grpc::ByteBuffer Encode(const std::shared_ptr<const Snapshot>& snapshot) {
    const std::lock_guard hold(mutex_);
    if (snapshot_ != snapshot) {
      v1::SyncResponse response;
      *response.mutable_snapshot() = ToProto(*snapshot);
      snapshot_ = snapshot;
      encoded_ = EncodeMessage(response);
    }
    return encoded_;
  }

  static grpc::ByteBuffer EncodeMessage(const v1::SyncResponse& response) {
    const grpc::Slice bytes(response.SerializeAsString());
    return {&bytes, 1};
  }

 private:
  std::mutex mutex_;  // Guards everything below.
  std::shared_ptr<const Snapshot> snapshot_;
  grpc::ByteBuffer encoded_;
};

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

absl::Status NoHello() {
  return AtField("hello",
                 absl::FailedPreconditionError("hello: the first message must be a hello"));
}
absl::Status SecondHello() {
  return AtField("hello",
                 absl::FailedPreconditionError("hello: only the first message may be a hello"));
}
absl::Status WrongToken() {
  return absl::UnauthenticatedError(
      "the token in the metadata `authorization: Bearer TOKEN` is not the one that was issued to "
      "this name");
}
absl::Status Unreadable() {
  return absl::InvalidArgumentError("the message is no gocomet.v1.SyncRequest");
}
absl::Status EmptyMessage() {
  return absl::InvalidArgumentError("the message is empty, or of a kind that is not known here");
}

template <typename Hello>
absl::Status CheckIncarnationAndPid(const Hello& hello) {
  if (hello.incarnation() == 0) return InvalidField("hello.incarnation", "must not be 0");
  if (hello.pid() < 0) return InvalidField("hello.pid", "must not be negative");
  return absl::OkStatus();
}

// Words of a balancer about what went wrong: too long is no reason not to hear them.
std::string Shortened(const std::string& text) { return text.substr(0, kReasonMax); }

// The same one again changes nothing and is acknowledged; a lower one is a mistake of the sender.
absl::Status CheckSequence(uint64_t sequence, uint64_t last) {
  if (sequence == 0) return InvalidField("report.sequence", "must begin at 1");
  if (sequence >= last) return absl::OkStatus();
  return InvalidField("report.sequence",
                      Cat("must ascend: ", sequence, " came after ", last, " on this stream"));
}

// The part that both kinds of streams share: reading one message after the other. Whoever connects
// must say hello in time.
template <typename Request, typename Response>
class Session : public Outgoing<grpc::ServerBidiReactor<Request, Response>, Response> {
 public:
  Session(Cluster& cluster, const TokenIssuer& tokens, std::string token)
      : cluster_(cluster), tokens_(tokens), token_(std::move(token)) {}

  void Start(StreamLimit& limit, std::chrono::milliseconds hello_patience) {
    std::shared_ptr<void> place = limit.Take();
    this->Begin([this, place] { OnOver(); });
    if (!place) return this->End(TooManyStreams(limit));
    const std::weak_ptr<Outgoing<grpc::ServerBidiReactor<Request, Response>, Response>> weak =
        this->shared_from_this();
    hello_alarm_.Set(std::chrono::system_clock::now() + hello_patience,
                     [this, weak, hello_patience](bool in_time) {
                       const auto self = weak.lock();
                       if (in_time && self && !greeted_) HelloIsMissing(hello_patience);
                     });
    this->StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return this->End(greeted_ ? grpc::Status::OK : ToGrpc(NoHello()));
    if (const absl::Status status = OnMessage(request_); !status.ok()) {
      return this->End(ToGrpc(status));
    }
    this->StartRead(&request_);
  }

 protected:
  virtual absl::Status OnMessage(const Request& request) = 0;
  virtual void OnOver() = 0;

  // Runs `task` on the owner's thread. RESOURCE_EXHAUSTED where too many of this stream wait there.
  absl::Status Post(Mailbox::Task task) {
    if (waiting_.fetch_add(1) >= kWaitingMax) {
      return absl::ResourceExhaustedError(
          "this stream sends faster than the control plane reads; connect again");
    }
    cluster_.mailbox().Post([this, self = this->shared_from_this(), task = std::move(task)] {
      waiting_.fetch_sub(1);
      task();
    });
    return absl::OkStatus();
  }

  void Greeted() {
    greeted_ = true;
    hello_alarm_.Cancel();
  }
  bool greeted() const { return greeted_; }

  Cluster& cluster_;
  const TokenIssuer& tokens_;
  const std::string token_;

 private:
  static constexpr int kWaitingMax = 64;

  void HelloIsMissing(std::chrono::milliseconds patience) {
    this->End({grpc::StatusCode::DEADLINE_EXCEEDED,
               Cat("no hello has come within ", patience.count(), " ms")});
  }

  Request request_;
  grpc::Alarm hello_alarm_;
  std::atomic<bool> greeted_{false};
  std::atomic<int> waiting_{0};
};

class BalancerSession final : public Session<grpc::ByteBuffer, grpc::ByteBuffer>,
                              public BalancerStream {
 public:
  BalancerSession(Cluster& cluster, const TokenIssuer& tokens, std::string token,
                  std::shared_ptr<SnapshotEncoder> encoder)
      : Session(cluster, tokens, std::move(token)), encoder_(std::move(encoder)) {}

  void SendSnapshot(std::shared_ptr<const Snapshot> snapshot) override {
    newest_sent_ = snapshot->version;
    Send(encoder_->Encode(snapshot), kSnapshot);
  }
  void AcknowledgeReport(uint64_t sequence) override {
    v1::SyncResponse response;
    response.mutable_report_ack()->set_sequence(sequence);
    Send(SnapshotEncoder::EncodeMessage(response), kAck);
  }
  void Close(const absl::Status& status) override { End(ToGrpc(status)); }

 private:
  std::shared_ptr<BalancerSession> Self() {
    return std::static_pointer_cast<BalancerSession>(shared_from_this());
  }

  void OnOver() override {
    cluster_.mailbox().Post(
        [self = Self()] { self->cluster_.balancers().Disconnect(self->hello_.name, self.get()); });
  }

  absl::Status OnMessage(const grpc::ByteBuffer& bytes) override {
    v1::SyncRequest request;
    grpc::ByteBuffer copy(bytes);
    if (!grpc::SerializationTraits<v1::SyncRequest>::Deserialize(&copy, &request).ok()) {
      return Unreadable();
    }
    if (request.has_hello()) return greeted() ? SecondHello() : OnHello(request.hello());
    if (!greeted()) return NoHello();
    if (request.has_ack()) return OnAck(request.ack());
    if (request.has_report()) return OnReport(request.report());
    return EmptyMessage();
  }

  absl::Status OnHello(const v1::BalancerHello& hello) {
    GOCOMET_RETURN_IF_ERROR(CheckName("hello.balancer", hello.balancer()));
    if (!tokens_.Accepts(Cat("balancer/", hello.balancer()), token_)) return WrongToken();
    GOCOMET_RETURN_IF_ERROR(CheckIncarnationAndPid(hello));
    GOCOMET_RETURN_IF_ERROR(CheckLine("hello.version", hello.version(), kNameMax));
    hello_ = {hello.balancer(), hello.incarnation(), hello.pid(), hello.version()};
    Greeted();
    return Post([self = Self()] {
      const absl::Status status = self->cluster_.balancers().Connect(self->hello_, self);
      if (!status.ok()) self->Close(AtField("hello.balancer", status));
    });
  }

  // A snapshot that was never sent on this stream must not end anyone's draining.
  absl::Status OnAck(const v1::SnapshotAck& ack) {
    if (ack.version() == 0 || ack.version() > newest_sent_) {
      return InvalidField("ack.version", Cat("is ", ack.version(), ", and the newest snapshot on ",
                                             "this stream is ", newest_sent_.load()));
    }
    return Post([self = Self(), version = ack.version(), refusal = Shortened(ack.refusal())] {
      self->cluster_.balancers().Acknowledge(self->hello_.name, self.get(), version, refusal);
    });
  }

  absl::Status OnReport(const v1::BalancerReport& report) {
    GOCOMET_RETURN_IF_ERROR(CheckSequence(report.sequence(), last_sequence_));
    if (report.endpoints_size() > kEndpointsMax) {
      return InvalidField("report.endpoints", Cat("names ", report.endpoints_size(),
                                                  " endpoints; at most ", kEndpointsMax, " exist"));
    }
    std::vector<SparseDurations> durations;
    durations.reserve(static_cast<size_t>(report.endpoints_size()));
    for (int i = 0; i < report.endpoints_size(); ++i) {
      const v1::EndpointReport& endpoint = report.endpoints(i);
      const std::string field = Cat("report.endpoints[", i, "].");
      GOCOMET_RETURN_IF_ERROR(CheckWorkerId(field + "worker_id", endpoint.worker_id()));
      if (endpoint.by_status_class_size() != 5) {
        return InvalidField(field + "by_status_class", "must have 5 entries, 1xx to 5xx");
      }
      auto endpoint_durations = DurationsOf(endpoint);
      if (!endpoint_durations) {
        return InvalidField(field + "durations",
                            "must have a count above 0 for each bucket, and the buckets ascending");
      }
      durations.push_back(*std::move(endpoint_durations));
    }
    last_sequence_ = report.sequence();
    BalancerReport converted = FromProto(report);
    converted.durations = std::move(durations);
    return Post([self = Self(), converted = std::move(converted)] {
      self->cluster_.ReportBalancer(self->hello_, self, converted);
    });
  }

  // But for the durations.
  BalancerReport FromProto(const v1::BalancerReport& proto) const {
    BalancerReport report;
    report.sequence = proto.sequence();
    report.connections = proto.connections();
    report.requests = proto.requests();
    for (const auto& [status, count] : proto.own_answers()) {
      if (status >= 500) report.own_errors += count;
    }
    for (const v1::EndpointReport& endpoint : proto.endpoints()) {
      report.endpoints.push_back({endpoint.worker_id(), endpoint.incarnation(), endpoint.healthy(),
                                  Shortened(endpoint.health_reason()), endpoint.in_flight()});
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

  // None where they are none.
  static std::optional<SparseDurations> DurationsOf(const v1::EndpointReport& endpoint) {
    const v1::Durations& durations = endpoint.durations();
    if (durations.buckets_size() != durations.counts_size()) return {};
    std::vector<SparseDurations::Bucket> buckets;
    buckets.reserve(static_cast<size_t>(durations.buckets_size()));
    for (int i = 0; i < durations.buckets_size(); ++i) {
      buckets.push_back({durations.buckets(i), durations.counts(i)});
    }
    return SparseDurations::Make(std::move(buckets), durations.sum_nanoseconds());
  }

  // Of 10,000 workers: a rollout has two of each for a while, and reports go on about those of the
  // snapshot before.
  static constexpr int kEndpointsMax = 40'000;

  const std::shared_ptr<SnapshotEncoder> encoder_;
  BalancerHello hello_;  // Written once, before anything is posted.
  std::atomic<uint64_t> newest_sent_{0};
  uint64_t last_sequence_ = 0;
};

class WorkerSession final : public Session<v1::ReportRequest, v1::ReportResponse>,
                            public WorkerStream {
 public:
  using Session::Session;

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

  void OnOver() override {
    cluster_.mailbox().Post(
        [self = Self()] { self->cluster_.DisconnectWorker(self->hello_.instance, self.get()); });
  }

  absl::Status OnMessage(const v1::ReportRequest& request) override {
    if (request.has_hello()) return greeted() ? SecondHello() : OnHello(request.hello());
    if (!greeted()) return NoHello();
    return request.has_report() ? OnReport(request.report()) : EmptyMessage();
  }

  absl::Status OnReport(const v1::WorkerReport& report) {
    GOCOMET_RETURN_IF_ERROR(CheckSequence(report.sequence(), last_sequence_));
    last_sequence_ = report.sequence();
    const RequestCounters counters{report.counters().successful(), report.counters().failed(),
                                   report.counters().duration_microseconds()};
    return Post([self = Self(), sequence = report.sequence(), counters,
                 want = report.want_cluster_statistics()] {
      self->cluster_.ReportWorker(self->hello_, self, sequence, counters, want);
    });
  }

  absl::Status OnHello(const v1::WorkerHello& hello) {
    GOCOMET_RETURN_IF_ERROR(CheckName("hello.instance", hello.instance()));
    if (!tokens_.Accepts(Cat("worker/", hello.instance()), token_)) return WrongToken();
    GOCOMET_RETURN_IF_ERROR(CheckWorkerId("hello.worker_id", hello.worker_id()));
    GOCOMET_RETURN_IF_ERROR(CheckIncarnationAndPid(hello));
    GOCOMET_RETURN_IF_ERROR(CheckLine("hello.version", hello.version(), kNameMax));
    hello_ = {hello.instance(), hello.worker_id(), hello.incarnation(), hello.pid()};
    Greeted();
    return Post([self = Self()] {
      const absl::Status status = self->cluster_.ConnectWorker(self->hello_, self);
      if (!status.ok()) self->Close(status);
    });
  }

  WorkerHello hello_;  // Written once, before anything is posted.
  uint64_t last_sequence_ = 0;
};

}  // namespace

DataPlaneService::DataPlaneService(Cluster& cluster, const TokenIssuer& tokens,
                                   std::chrono::milliseconds hello_patience)
    : cluster_(cluster),
      tokens_(tokens),
      hello_patience_(hello_patience),
      encoder_(std::make_shared<SnapshotEncoder>()) {}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* DataPlaneService::Sync(
    grpc::CallbackServerContext* context) {
  auto session =
      std::make_shared<BalancerSession>(cluster_, tokens_, BearerToken(*context), encoder_);
  session->Start(streams_, hello_patience_);
  return session.get();
}

grpc::ServerBidiReactor<v1::ReportRequest, v1::ReportResponse>* ReportService::Report(
    grpc::CallbackServerContext* context) {
  auto session = std::make_shared<WorkerSession>(cluster_, tokens_, BearerToken(*context));
  session->Start(streams_, hello_patience_);
  return session.get();
}

}  // namespace gocomet::controlplane
