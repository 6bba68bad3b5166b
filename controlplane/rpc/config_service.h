#pragma once

#include <grpcpp/grpcpp.h>

#include "controlplane/cluster/cluster.h"
#include "controlplane/config/config_text.h"
#include "controlplane/rpc/stream_limit.h"
#include "gocomet/v1/config.grpc.pb.h"

namespace gocomet::controlplane {

// Reads and changes the desired state. Texts are parsed on gRPC's threads; only the outcome reaches
// the owner's.
class ConfigService final : public v1::ConfigService::CallbackService {
 public:
  // `process`: what runs now and cannot be changed by applying a config.
  ConfigService(Cluster& cluster, StreamLimit& streams, ProcessSettings process)
      : cluster_(cluster), streams_(streams), process_(std::move(process)) {}

  grpc::ServerUnaryReactor* ValidateConfig(grpc::CallbackServerContext* context,
                                           const v1::ValidateConfigRequest* request,
                                           v1::ValidateConfigResponse* response) override;
  grpc::ServerUnaryReactor* PlanConfig(grpc::CallbackServerContext* context,
                                       const v1::PlanConfigRequest* request,
                                       v1::PlanConfigResponse* response) override;
  grpc::ServerUnaryReactor* ApplyConfig(grpc::CallbackServerContext* context,
                                        const v1::ApplyConfigRequest* request,
                                        v1::ApplyConfigResponse* response) override;
  grpc::ServerUnaryReactor* GetConfig(grpc::CallbackServerContext* context,
                                      const v1::GetConfigRequest* request,
                                      v1::GetConfigResponse* response) override;
  grpc::ServerUnaryReactor* DiffRevisions(grpc::CallbackServerContext* context,
                                          const v1::DiffRevisionsRequest* request,
                                          v1::DiffRevisionsResponse* response) override;
  grpc::ServerUnaryReactor* ListRevisions(grpc::CallbackServerContext* context,
                                          const v1::ListRevisionsRequest* request,
                                          v1::ListRevisionsResponse* response) override;
  grpc::ServerUnaryReactor* RollbackConfig(grpc::CallbackServerContext* context,
                                           const v1::RollbackConfigRequest* request,
                                           v1::ApplyConfigResponse* response) override;
  grpc::ServerWriteReactor<v1::Revision>* WatchConfig(
      grpc::CallbackServerContext* context, const v1::WatchConfigRequest* request) override;

 private:
  // Parses, and adds what this control plane cannot give while it runs.
  ParsedConfig Parse(const std::string& text, const std::string& file_name) const;
  // FAILED_PRECONDITION where a revision is for another runtime than the one that runs.
  absl::Status CheckRuntime(const ParsedConfig& parsed, const Revision& revision) const;

  Cluster& cluster_;
  StreamLimit& streams_;
  const ProcessSettings process_;
};

}  // namespace gocomet::controlplane
