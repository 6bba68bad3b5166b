#pragma once

#include <grpcpp/grpcpp.h>

#include "controlplane/app/token_issuer.h"
#include "controlplane/cluster/cluster.h"
#include "gocomet/v1/report.grpc.pb.h"
#include "gocomet/v1/sync.grpc.pb.h"

// The services that balancers and workers speak to, each with a token of its own.
namespace gocomet::controlplane {

class DataPlaneService final : public v1::DataPlaneService::CallbackService {
 public:
  DataPlaneService(Cluster& cluster, const TokenIssuer& tokens)
      : cluster_(cluster), tokens_(tokens) {}
  grpc::ServerBidiReactor<v1::SyncRequest, v1::SyncResponse>* Sync(
      grpc::CallbackServerContext* context) override;

 private:
  Cluster& cluster_;
  const TokenIssuer& tokens_;
};

class ReportService final : public v1::ReportService::CallbackService {
 public:
  ReportService(Cluster& cluster, const TokenIssuer& tokens) : cluster_(cluster), tokens_(tokens) {}
  grpc::ServerBidiReactor<v1::ReportRequest, v1::ReportResponse>* Report(
      grpc::CallbackServerContext* context) override;

 private:
  Cluster& cluster_;
  const TokenIssuer& tokens_;
};

}  // namespace gocomet::controlplane
