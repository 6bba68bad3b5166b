#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "ctl/client/server_address.h"
#include "ctl/client/tls.h"
#include "gocomet/v1/access.pb.h"
#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/cluster.pb.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/rollouts.pb.h"
#include "gocomet/v1/statistics.pb.h"
#include "gocomet/v1/workers.pb.h"

namespace gocomet::ctl {

// The control plane's methods as plain calls: the only part of the client that speaks gRPC.
//
// Each call blocks until its answer or deadline. Lists are fetched whole, page by page. Errors
// carry the canonical code, a message for people and the fields at fault (ViolationsOf).
// UNAVAILABLE: nothing answers at the address, and the message says what to do; nothing happened
// there unless a changing call was cut off. Connects at the first call. One call at a time; Cancel
// from any thread.
class ControlPlane {
 public:
  struct Options {
    ServerAddress server;
    // For each call that is not a stream.
    std::chrono::milliseconds call_timeout{10'000};
    // For streams; none goes on until it ends or is cancelled.
    std::optional<std::chrono::milliseconds> stream_timeout;
    // Sent as `authorization: Bearer …` where it is not empty.
    std::string token;
    Tls tls;
  };

  explicit ControlPlane(Options options);
  ~ControlPlane();

  absl::StatusOr<v1::ClusterStatus> GetStatus();

  absl::StatusOr<v1::WhoAmIResponse> WhoAmI();
  absl::StatusOr<v1::CreateTokenResponse> CreateToken(const v1::CreateTokenRequest& request);
  absl::StatusOr<v1::ListTokensResponse> ListTokens();
  absl::StatusOr<v1::DeleteTokenResponse> DeleteToken(const v1::DeleteTokenRequest& request);

  absl::StatusOr<v1::Worker> GetWorker(const std::string& id);
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers(const std::string& service);
  absl::StatusOr<v1::Worker> RestartWorker(const std::string& id);
  absl::StatusOr<v1::Worker> DrainWorker(const std::string& id);
  absl::StatusOr<v1::Worker> UndrainWorker(const std::string& id);

  absl::StatusOr<v1::Service> GetService(const std::string& name);
  absl::StatusOr<v1::ListServicesResponse> ListServices();
  absl::StatusOr<v1::ScaleServiceResponse> ScaleService(const v1::ScaleServiceRequest& request);
  absl::StatusOr<v1::RestartServiceResponse> RestartService(
      const v1::RestartServiceRequest& request);

  // The newest of the service where `id` is 0.
  absl::StatusOr<v1::Rollout> GetRollout(uint64_t id, const std::string& service);
  absl::StatusOr<v1::ListRolloutsResponse> ListRollouts(const std::string& service);
  absl::StatusOr<v1::Rollout> PauseRollout(const v1::PauseRolloutRequest& request);
  absl::StatusOr<v1::Rollout> ResumeRollout(const v1::ResumeRolloutRequest& request);
  absl::StatusOr<v1::Rollout> AbortRollout(const v1::AbortRolloutRequest& request);
  absl::StatusOr<v1::Rollout> UndoRollout(const v1::UndoRolloutRequest& request);

  absl::StatusOr<v1::Balancer> GetBalancer(const std::string& name);
  absl::StatusOr<v1::ListBalancersResponse> ListBalancers();

  absl::StatusOr<v1::ValidateConfigResponse> ValidateConfig(
      const v1::ValidateConfigRequest& request);
  absl::StatusOr<v1::PlanConfigResponse> PlanConfig(const v1::PlanConfigRequest& request);
  absl::StatusOr<v1::ApplyConfigResponse> ApplyConfig(const v1::ApplyConfigRequest& request);
  absl::StatusOr<v1::ApplyConfigResponse> RollbackConfig(const v1::RollbackConfigRequest& request);
  // Revision 0 is the newest.
  absl::StatusOr<v1::GetConfigResponse> GetConfig(const v1::GetConfigRequest& request);
  absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(const v1::DiffRevisionsRequest& request);
  absl::StatusOr<v1::ListRevisionsResponse> ListRevisions();

  // The newest `limit` events whose subject starts with the prefix, newest first; 0 means all.
  absl::StatusOr<v1::ListEventsResponse> ListEvents(const std::string& subject_prefix,
                                                    uint64_t limit);

  absl::StatusOr<v1::Statistics> GetStatistics(const v1::GetStatisticsRequest& request);

  // Streams call `each` on the calling thread for every message, until the control plane ends the
  // stream (OK), an error, or Cancel (CANCELLED).
  template <typename Message>
  using Each = std::function<void(const Message&)>;
  absl::Status WatchWorkers(const std::string& service, const Each<v1::WorkerChange>& each);
  absl::Status WatchServices(const Each<v1::Service>& each);
  absl::Status WatchBalancers(const Each<v1::Balancer>& each);
  absl::Status WatchRevisions(const Each<v1::Revision>& each);
  absl::Status WatchEvents(const v1::WatchEventsRequest& request, const Each<v1::Event>& each);
  // Until `each` answers false.
  absl::Status WatchRollouts(const v1::WatchRolloutsRequest& request,
                             const std::function<bool(const v1::Rollout&)>& each);
  absl::Status StreamLogs(const v1::StreamLogsRequest& request, const Each<v1::LogLine>& each);

  // Ends the call that runs now, and every later one. Any thread.
  void Cancel();

 private:
  struct Connection;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace gocomet::ctl
