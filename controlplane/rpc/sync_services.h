#pragma once

#include <chrono>
#include <memory>

#include <grpcpp/grpcpp.h>

#include "controlplane/app/token_issuer.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/stream_limit.h"
#include "gocomet/v1/report.grpc.pb.h"
#include "gocomet/v1/sync.grpc.pb.h"

// The services that balancers and workers speak to, each with a token of its own. Whoever opens a
// stream says hello within `hello_patience`.
namespace gocomet::controlplane {

class SnapshotEncoder;

// Its messages are bytes to gRPC, so that a snapshot is encoded once for all balancers.
class DataPlaneService final
    : public v1::DataPlaneService::WithRawCallbackMethod_Sync<v1::DataPlaneService::Service> {
 public:
  DataPlaneService(Cluster& cluster, const TokenIssuer& tokens,
                   std::chrono::milliseconds hello_patience);
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Sync(
      grpc::CallbackServerContext* context) override;

 private:
  Cluster& cluster_;
  const TokenIssuer& tokens_;
  const std::chrono::milliseconds hello_patience_;
  const std::shared_ptr<SnapshotEncoder> encoder_;
  // One each, and a second one while a broken one is noticed.
  StreamLimit streams_{2 * kBalancersMax};
};

class ReportService final : public v1::ReportService::CallbackService {
 public:
  ReportService(Cluster& cluster, const TokenIssuer& tokens,
                std::chrono::milliseconds hello_patience)
      : cluster_(cluster), tokens_(tokens), hello_patience_(hello_patience) {}
  grpc::ServerBidiReactor<v1::ReportRequest, v1::ReportResponse>* Report(
      grpc::CallbackServerContext* context) override;

 private:
  Cluster& cluster_;
  const TokenIssuer& tokens_;
  const std::chrono::milliseconds hello_patience_;
  StreamLimit streams_{2 * kWorkersMax};
};

}  // namespace gocomet::controlplane
