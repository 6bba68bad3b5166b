#include "ctl/client/control_plane.h"

#include <utility>

#include "ctl/client/channel.h"
#include "gocomet/v1/access.grpc.pb.h"
#include "gocomet/v1/balancers.grpc.pb.h"
#include "gocomet/v1/cluster.grpc.pb.h"
#include "gocomet/v1/config.grpc.pb.h"
#include "gocomet/v1/events.grpc.pb.h"
#include "gocomet/v1/rollouts.grpc.pb.h"
#include "gocomet/v1/statistics.grpc.pb.h"
#include "gocomet/v1/workers.grpc.pb.h"

namespace gocomet::ctl {
namespace {

constexpr int32_t kPageSize = 1000;

template <typename Request>
Request WithId(const std::string& id) {
  Request request;
  request.set_id(id);
  return request;
}

template <typename Request>
Request WithName(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

}  // namespace

struct ControlPlane::Connection {
  explicit Connection(Options options) : channel(std::move(options)) {}

  // Every page of a list in one response; `enough(response)` ends it early.
  template <typename Service, typename Request, typename Response, typename Enough>
  absl::StatusOr<Response> ListUntil(grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                           const Request&,
                                                                           Response*),
                                     Request request, Enough enough) {
    if (request.page_size() == 0) request.set_page_size(kPageSize);
    Response all;
    do {
      auto page = channel.Call<Service>(method, request);
      if (!page.ok()) return page.status();
      // A token that does not move on would never end.
      if (page->next_page_token() == request.page_token() && !page->next_page_token().empty()) {
        return absl::InternalError("the control plane answers with the same page again and again");
      }
      request.set_page_token(page->next_page_token());
      all.MergeFrom(*page);
    } while (!request.page_token().empty() && !enough(all));
    all.clear_next_page_token();
    return all;
  }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> List(grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                                Request request) {
    return ListUntil<Service>(method, std::move(request), [](const Response&) { return false; });
  }

  Channel channel;
};

ControlPlane::ControlPlane(Options options)
    : connection_(std::make_unique<Connection>(std::move(options))) {}

ControlPlane::~ControlPlane() = default;

absl::StatusOr<v1::ClusterStatus> ControlPlane::GetStatus() {
  using Service = v1::ClusterService;
  return connection_->channel.Call<Service>(&Service::Stub::GetStatus, v1::GetStatusRequest());
}

absl::StatusOr<v1::WhoAmIResponse> ControlPlane::WhoAmI() {
  using Service = v1::AccessService;
  return connection_->channel.Call<Service>(&Service::Stub::WhoAmI, v1::WhoAmIRequest());
}

absl::StatusOr<v1::CreateTokenResponse> ControlPlane::CreateToken(
    const v1::CreateTokenRequest& request) {
  using Service = v1::AccessService;
  return connection_->channel.Call<Service>(&Service::Stub::CreateToken, request);
}

absl::StatusOr<v1::ListTokensResponse> ControlPlane::ListTokens() {
  using Service = v1::AccessService;
  return connection_->List<Service>(&Service::Stub::ListTokens, v1::ListTokensRequest());
}

absl::StatusOr<v1::DeleteTokenResponse> ControlPlane::DeleteToken(
    const v1::DeleteTokenRequest& request) {
  using Service = v1::AccessService;
  return connection_->channel.Call<Service>(&Service::Stub::DeleteToken, request);
}

absl::StatusOr<v1::Worker> ControlPlane::GetWorker(const std::string& id) {
  using Service = v1::WorkerService;
  return connection_->channel.Call<Service>(&Service::Stub::GetWorker,
                                            WithId<v1::GetWorkerRequest>(id));
}

absl::StatusOr<v1::ListWorkersResponse> ControlPlane::ListWorkers(const std::string& service) {
  using Service = v1::WorkerService;
  v1::ListWorkersRequest request;
  request.set_service(service);
  return connection_->List<Service>(&Service::Stub::ListWorkers, std::move(request));
}

absl::StatusOr<v1::Worker> ControlPlane::RestartWorker(const std::string& id) {
  using Service = v1::WorkerService;
  return connection_->channel.Call<Service>(&Service::Stub::RestartWorker,
                                            WithId<v1::RestartWorkerRequest>(id));
}

absl::StatusOr<v1::Worker> ControlPlane::DrainWorker(const std::string& id) {
  using Service = v1::WorkerService;
  return connection_->channel.Call<Service>(&Service::Stub::DrainWorker,
                                            WithId<v1::DrainWorkerRequest>(id));
}

absl::StatusOr<v1::Worker> ControlPlane::UndrainWorker(const std::string& id) {
  using Service = v1::WorkerService;
  return connection_->channel.Call<Service>(&Service::Stub::UndrainWorker,
                                            WithId<v1::UndrainWorkerRequest>(id));
}

absl::StatusOr<v1::Service> ControlPlane::GetService(const std::string& name) {
  using Service = v1::ServiceService;
  return connection_->channel.Call<Service>(&Service::Stub::GetService,
                                            WithName<v1::GetServiceRequest>(name));
}

absl::StatusOr<v1::ListServicesResponse> ControlPlane::ListServices() {
  using Service = v1::ServiceService;
  return connection_->List<Service>(&Service::Stub::ListServices, v1::ListServicesRequest());
}

absl::StatusOr<v1::ScaleServiceResponse> ControlPlane::ScaleService(
    const v1::ScaleServiceRequest& request) {
  using Service = v1::ServiceService;
  return connection_->channel.Call<Service>(&Service::Stub::ScaleService, request);
}

absl::StatusOr<v1::RestartServiceResponse> ControlPlane::RestartService(
    const v1::RestartServiceRequest& request) {
  using Service = v1::ServiceService;
  return connection_->channel.Call<Service>(&Service::Stub::RestartService, request);
}

absl::StatusOr<v1::Rollout> ControlPlane::GetRollout(uint64_t id, const std::string& service) {
  using Service = v1::RolloutService;
  v1::GetRolloutRequest request;
  request.set_id(id);
  request.set_service(service);
  return connection_->channel.Call<Service>(&Service::Stub::GetRollout, request);
}

absl::StatusOr<v1::ListRolloutsResponse> ControlPlane::ListRollouts(const std::string& service) {
  using Service = v1::RolloutService;
  v1::ListRolloutsRequest request;
  request.set_service(service);
  return connection_->List<Service>(&Service::Stub::ListRollouts, std::move(request));
}

absl::StatusOr<v1::Rollout> ControlPlane::PauseRollout(const v1::PauseRolloutRequest& request) {
  using Service = v1::RolloutService;
  return connection_->channel.Call<Service>(&Service::Stub::PauseRollout, request);
}

absl::StatusOr<v1::Rollout> ControlPlane::ResumeRollout(const v1::ResumeRolloutRequest& request) {
  using Service = v1::RolloutService;
  return connection_->channel.Call<Service>(&Service::Stub::ResumeRollout, request);
}

absl::StatusOr<v1::Rollout> ControlPlane::AbortRollout(const v1::AbortRolloutRequest& request) {
  using Service = v1::RolloutService;
  return connection_->channel.Call<Service>(&Service::Stub::AbortRollout, request);
}

absl::StatusOr<v1::Rollout> ControlPlane::UndoRollout(const v1::UndoRolloutRequest& request) {
  using Service = v1::RolloutService;
  return connection_->channel.Call<Service>(&Service::Stub::UndoRollout, request);
}

absl::StatusOr<v1::Balancer> ControlPlane::GetBalancer(const std::string& name) {
  using Service = v1::BalancerService;
  return connection_->channel.Call<Service>(&Service::Stub::GetBalancer,
                                            WithName<v1::GetBalancerRequest>(name));
}

absl::StatusOr<v1::ListBalancersResponse> ControlPlane::ListBalancers() {
  using Service = v1::BalancerService;
  return connection_->List<Service>(&Service::Stub::ListBalancers, v1::ListBalancersRequest());
}

absl::StatusOr<v1::ValidateConfigResponse> ControlPlane::ValidateConfig(
    const v1::ValidateConfigRequest& request) {
  using Service = v1::ConfigService;
  return connection_->channel.Call<Service>(&Service::Stub::ValidateConfig, request);
}

absl::StatusOr<v1::PlanConfigResponse> ControlPlane::PlanConfig(
    const v1::PlanConfigRequest& request) {
  using Service = v1::ConfigService;
  return connection_->channel.Call<Service>(&Service::Stub::PlanConfig, request);
}

absl::StatusOr<v1::ApplyConfigResponse> ControlPlane::ApplyConfig(
    const v1::ApplyConfigRequest& request) {
  using Service = v1::ConfigService;
  return connection_->channel.Call<Service>(&Service::Stub::ApplyConfig, request);
}

absl::StatusOr<v1::ApplyConfigResponse> ControlPlane::RollbackConfig(
    const v1::RollbackConfigRequest& request) {
  using Service = v1::ConfigService;
  return connection_->channel.Call<Service>(&Service::Stub::RollbackConfig, request);
}

absl::StatusOr<v1::GetConfigResponse> ControlPlane::GetConfig(const v1::GetConfigRequest& request) {
  using Service = v1::ConfigService;
  return connection_->channel.Call<Service>(&Service::Stub::GetConfig, request);
}

absl::StatusOr<v1::DiffRevisionsResponse> ControlPlane::DiffRevisions(
    const v1::DiffRevisionsRequest& request) {
  using Service = v1::ConfigService;
  return connection_->channel.Call<Service>(&Service::Stub::DiffRevisions, request);
}

absl::StatusOr<v1::ListRevisionsResponse> ControlPlane::ListRevisions() {
  using Service = v1::ConfigService;
  return connection_->List<Service>(&Service::Stub::ListRevisions, v1::ListRevisionsRequest());
}

absl::StatusOr<v1::ListEventsResponse> ControlPlane::ListEvents(const std::string& subject_prefix,
                                                                uint64_t limit) {
  using Service = v1::EventService;
  v1::ListEventsRequest request;
  request.set_subject_prefix(subject_prefix);
  if (limit != 0 && limit < kPageSize) request.set_page_size(static_cast<int32_t>(limit));
  auto events = connection_->ListUntil<Service>(
      &Service::Stub::ListEvents, std::move(request), [limit](const v1::ListEventsResponse& all) {
        return limit != 0 && static_cast<uint64_t>(all.events_size()) >= limit;
      });
  if (events.ok() && limit != 0 && static_cast<uint64_t>(events->events_size()) > limit) {
    const int keep = static_cast<int>(limit);
    events->mutable_events()->DeleteSubrange(keep, events->events_size() - keep);
  }
  return events;
}

absl::StatusOr<v1::Statistics> ControlPlane::GetStatistics(
    const v1::GetStatisticsRequest& request) {
  using Service = v1::StatisticsService;
  return connection_->channel.Call<Service>(&Service::Stub::GetStatistics, request);
}

absl::Status ControlPlane::WatchWorkers(const std::string& service,
                                        const Each<v1::WorkerChange>& each) {
  using Service = v1::WorkerService;
  v1::WatchWorkersRequest request;
  request.set_service(service);
  return connection_->channel.Stream<Service>(&Service::Stub::WatchWorkers, request, each);
}

absl::Status ControlPlane::WatchServices(const Each<v1::Service>& each) {
  using Service = v1::ServiceService;
  return connection_->channel.Stream<Service>(&Service::Stub::WatchServices,
                                              v1::WatchServicesRequest(), each);
}

absl::Status ControlPlane::WatchBalancers(const Each<v1::Balancer>& each) {
  using Service = v1::BalancerService;
  return connection_->channel.Stream<Service>(&Service::Stub::WatchBalancers,
                                              v1::WatchBalancersRequest(), each);
}

absl::Status ControlPlane::WatchRevisions(const Each<v1::Revision>& each) {
  using Service = v1::ConfigService;
  return connection_->channel.Stream<Service>(&Service::Stub::WatchConfig, v1::WatchConfigRequest(),
                                              each);
}

absl::Status ControlPlane::WatchEvents(const v1::WatchEventsRequest& request,
                                       const Each<v1::Event>& each) {
  using Service = v1::EventService;
  return connection_->channel.Stream<Service>(&Service::Stub::WatchEvents, request, each);
}

absl::Status ControlPlane::WatchRollouts(const v1::WatchRolloutsRequest& request,
                                         const std::function<bool(const v1::Rollout&)>& each) {
  using Service = v1::RolloutService;
  return connection_->channel.StreamWhile<Service>(&Service::Stub::WatchRollouts, request, each);
}

absl::Status ControlPlane::StreamLogs(const v1::StreamLogsRequest& request,
                                      const Each<v1::LogLine>& each) {
  using Service = v1::WorkerService;
  return connection_->channel.Stream<Service>(&Service::Stub::StreamLogs, request, each);
}

void ControlPlane::Cancel() { connection_->channel.Cancel(); }

}  // namespace gocomet::ctl
