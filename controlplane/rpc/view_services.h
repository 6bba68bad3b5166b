#pragma once

#include <grpcpp/grpcpp.h>

#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/stream_limit.h"
#include "gocomet/v1/balancers.grpc.pb.h"
#include "gocomet/v1/cluster.grpc.pb.h"
#include "gocomet/v1/events.grpc.pb.h"
#include "gocomet/v1/statistics.grpc.pb.h"

// The services that only look.
namespace gocomet::controlplane {

class BalancerService final : public v1::BalancerService::CallbackService {
 public:
  BalancerService(Cluster& cluster, StreamLimit& streams) : cluster_(cluster), streams_(streams) {}
  grpc::ServerUnaryReactor* GetBalancer(grpc::CallbackServerContext* context,
                                        const v1::GetBalancerRequest* request,
                                        v1::Balancer* response) override;
  grpc::ServerUnaryReactor* ListBalancers(grpc::CallbackServerContext* context,
                                          const v1::ListBalancersRequest* request,
                                          v1::ListBalancersResponse* response) override;
  grpc::ServerWriteReactor<v1::Balancer>* WatchBalancers(
      grpc::CallbackServerContext* context, const v1::WatchBalancersRequest* request) override;

 private:
  Cluster& cluster_;
  StreamLimit& streams_;
};

class EventService final : public v1::EventService::CallbackService {
 public:
  EventService(Cluster& cluster, StreamLimit& streams) : cluster_(cluster), streams_(streams) {}
  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::Event>* WatchEvents(grpc::CallbackServerContext* context,
                                                   const v1::WatchEventsRequest* request) override;

 private:
  Cluster& cluster_;
  StreamLimit& streams_;
};

class StatisticsService final : public v1::StatisticsService::CallbackService {
 public:
  StatisticsService(Cluster& cluster, StreamLimit& streams)
      : cluster_(cluster), streams_(streams) {}
  grpc::ServerUnaryReactor* GetStatistics(grpc::CallbackServerContext* context,
                                          const v1::GetStatisticsRequest* request,
                                          v1::Statistics* response) override;
  // UNIMPLEMENTED: history in steps is not kept yet.
  grpc::ServerUnaryReactor* QueryStatistics(grpc::CallbackServerContext* context,
                                            const v1::QueryStatisticsRequest* request,
                                            v1::QueryStatisticsResponse* response) override;
  grpc::ServerWriteReactor<v1::Statistics>* WatchStatistics(
      grpc::CallbackServerContext* context, const v1::WatchStatisticsRequest* request) override;

 private:
  Cluster& cluster_;
  StreamLimit& streams_;
};

class ClusterService final : public v1::ClusterService::CallbackService {
 public:
  // `facts`: what does not change while the control plane runs.
  ClusterService(Cluster& cluster, v1::ClusterStatus facts)
      : cluster_(cluster), facts_(std::move(facts)) {}
  // Any thread: where the public address turned out to be.
  void ListensOn(const std::string& address);
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::ClusterStatus* response) override;

 private:
  Cluster& cluster_;
  v1::ClusterStatus facts_;  // The owner's thread only.
};

}  // namespace gocomet::controlplane
