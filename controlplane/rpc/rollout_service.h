#pragma once

#include <grpcpp/grpcpp.h>

#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/stream_limit.h"
#include "gocomet/v1/rollouts.grpc.pb.h"

namespace gocomet::controlplane {

// Rollouts as people see them, and the operator's verbs about them.
class RolloutService final : public v1::RolloutService::CallbackService {
 public:
  RolloutService(Cluster& cluster, StreamLimit& streams) : cluster_(cluster), streams_(streams) {}

  grpc::ServerUnaryReactor* GetRollout(grpc::CallbackServerContext* context,
                                       const v1::GetRolloutRequest* request,
                                       v1::Rollout* response) override;
  grpc::ServerUnaryReactor* ListRollouts(grpc::CallbackServerContext* context,
                                         const v1::ListRolloutsRequest* request,
                                         v1::ListRolloutsResponse* response) override;
  grpc::ServerWriteReactor<v1::Rollout>* WatchRollouts(
      grpc::CallbackServerContext* context, const v1::WatchRolloutsRequest* request) override;
  grpc::ServerUnaryReactor* PauseRollout(grpc::CallbackServerContext* context,
                                         const v1::PauseRolloutRequest* request,
                                         v1::Rollout* response) override;
  grpc::ServerUnaryReactor* ResumeRollout(grpc::CallbackServerContext* context,
                                          const v1::ResumeRolloutRequest* request,
                                          v1::Rollout* response) override;
  grpc::ServerUnaryReactor* AbortRollout(grpc::CallbackServerContext* context,
                                         const v1::AbortRolloutRequest* request,
                                         v1::Rollout* response) override;
  grpc::ServerUnaryReactor* UndoRollout(grpc::CallbackServerContext* context,
                                        const v1::UndoRolloutRequest* request,
                                        v1::Rollout* response) override;

 private:
  Cluster& cluster_;
  StreamLimit& streams_;
};

}  // namespace gocomet::controlplane
