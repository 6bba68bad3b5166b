#pragma once

#include <grpcpp/grpcpp.h>

#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/stream_limit.h"
#include "controlplane/runtime/runtime_driver.h"
#include "gocomet/v1/workers.grpc.pb.h"

namespace gocomet::controlplane {

// Services as people see them.
class ServiceService final : public v1::ServiceService::CallbackService {
 public:
  ServiceService(Cluster& cluster, StreamLimit& streams) : cluster_(cluster), streams_(streams) {}

  grpc::ServerUnaryReactor* GetService(grpc::CallbackServerContext* context,
                                       const v1::GetServiceRequest* request,
                                       v1::Service* response) override;
  grpc::ServerUnaryReactor* ListServices(grpc::CallbackServerContext* context,
                                         const v1::ListServicesRequest* request,
                                         v1::ListServicesResponse* response) override;
  grpc::ServerWriteReactor<v1::Service>* WatchServices(
      grpc::CallbackServerContext* context, const v1::WatchServicesRequest* request) override;
  grpc::ServerUnaryReactor* ScaleService(grpc::CallbackServerContext* context,
                                         const v1::ScaleServiceRequest* request,
                                         v1::ScaleServiceResponse* response) override;
  grpc::ServerUnaryReactor* RestartService(grpc::CallbackServerContext* context,
                                           const v1::RestartServiceRequest* request,
                                           v1::RestartServiceResponse* response) override;

 private:
  Cluster& cluster_;
  StreamLimit& streams_;
};

// Workers as people see them, and the operator's verbs.
class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  WorkerService(Cluster& cluster, StreamLimit& streams, RuntimeDriver& driver)
      : cluster_(cluster), streams_(streams), driver_(driver) {}

  grpc::ServerUnaryReactor* GetWorker(grpc::CallbackServerContext* context,
                                      const v1::GetWorkerRequest* request,
                                      v1::Worker* response) override;
  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext* context,
                                        const v1::ListWorkersRequest* request,
                                        v1::ListWorkersResponse* response) override;
  grpc::ServerWriteReactor<v1::WorkerChange>* WatchWorkers(
      grpc::CallbackServerContext* context, const v1::WatchWorkersRequest* request) override;
  grpc::ServerUnaryReactor* RestartWorker(grpc::CallbackServerContext* context,
                                          const v1::RestartWorkerRequest* request,
                                          v1::Worker* response) override;
  grpc::ServerUnaryReactor* DrainWorker(grpc::CallbackServerContext* context,
                                        const v1::DrainWorkerRequest* request,
                                        v1::Worker* response) override;
  grpc::ServerUnaryReactor* UndrainWorker(grpc::CallbackServerContext* context,
                                          const v1::UndrainWorkerRequest* request,
                                          v1::Worker* response) override;
  grpc::ServerWriteReactor<v1::LogLine>* StreamLogs(grpc::CallbackServerContext* context,
                                                    const v1::StreamLogsRequest* request) override;

 private:
  Cluster& cluster_;
  StreamLimit& streams_;
  RuntimeDriver& driver_;
};

}  // namespace gocomet::controlplane
