#include "controlplane/rpc/rollout_service.h"

#include <memory>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/lookup.h"
#include "controlplane/rpc/page.h"
#include "controlplane/rpc/request_checks.h"
#include "controlplane/rpc/unary.h"
#include "controlplane/rpc/watch.h"

namespace gocomet::controlplane {
namespace {

// A service that has had rollouts may be gone by now: its rollouts stay.
absl::Status CheckFilter(Cluster& cluster, const std::string& service) {
  if (service.empty()) return absl::OkStatus();
  GOCOMET_RETURN_IF_ERROR(CheckServiceName("service", service));
  if (cluster.rollouts().NewestOf(service) != nullptr) return absl::OkStatus();
  return FindService(cluster, "service", service).status();
}

absl::StatusOr<const RolloutRecord*> FindRollout(Cluster& cluster, uint64_t id,
                                                 const std::string& service) {
  if (id != 0) {
    const RolloutRecord* rollout = cluster.rollouts().Find(id);
    if (rollout != nullptr) return rollout;
    return AtField("id", absl::NotFoundError(Cat("there is no rollout ", id,
                                                 "; `gocometctl rollout list` lists them")));
  }
  std::string name = service;
  if (name.empty()) {
    GOCOMET_ASSIGN_OR_RETURN(const Service* only, FindService(cluster, "service", name));
    name = only->name;
  }
  GOCOMET_RETURN_IF_ERROR(CheckFilter(cluster, name));
  const RolloutRecord* rollout = cluster.rollouts().NewestOf(name);
  if (rollout != nullptr) return rollout;
  return AtField("service",
                 absl::NotFoundError(Cat("service ", name, " has had no rollout; `gocometctl ",
                                         "rollout restart ", name, "` begins one")));
}

// Lets the verb be done and answers with the rollout that it leaves.
template <typename Request>
grpc::ServerUnaryReactor* Perform(Cluster& cluster, grpc::CallbackServerContext* context,
                                  Cluster::RolloutVerb verb, const Request* request,
                                  v1::Rollout* response) {
  return AnswerLater(
      cluster, context,
      [&cluster, verb, request, response,
       author = AuthorOf(context, request->author())](const std::shared_ptr<Reply>& reply) {
        absl::Status valid = CheckLine("author", request->author(), kAuthorMax);
        if (valid.ok()) valid = CheckLine("reason", request->reason(), kReasonMax);
        if (!valid.ok()) return reply->Finish(ToGrpc(valid));
        const auto service = FindService(cluster, "service", request->service());
        if (!service.ok()) return reply->Finish(ToGrpc(service.status()));
        cluster.ChangeRollout(
            verb, (*service)->name, {author, request->reason()},
            [response, reply](const absl::StatusOr<RolloutRecord>& rollout) {
              if (!rollout.ok()) return reply->Finish(ToGrpc(AtField("service", rollout.status())));
              *response = ToProto(*rollout);
              reply->Finish(grpc::Status::OK);
            });
      });
}

}  // namespace

grpc::ServerUnaryReactor* RolloutService::GetRollout(grpc::CallbackServerContext* context,
                                                     const v1::GetRolloutRequest* request,
                                                     v1::Rollout* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(const RolloutRecord* rollout,
                             FindRollout(cluster_, request->id(), request->service()));
    *response = ToProto(*rollout);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* RolloutService::ListRollouts(grpc::CallbackServerContext* context,
                                                       const v1::ListRolloutsRequest* request,
                                                       v1::ListRolloutsResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_RETURN_IF_ERROR(CheckFilter(cluster_, request->service()));
    GOCOMET_ASSIGN_OR_RETURN(
        const Page page,
        Page::Parse("rollouts", request->service(), request->page_size(), request->page_token()));
    std::vector<const RolloutRecord*> newest_first;
    for (const RolloutRecord& rollout : cluster_.rollouts().records()) {
      const bool wanted = request->service().empty() || rollout.service == request->service();
      if (wanted) newest_first.insert(newest_first.begin(), &rollout);
    }
    response->set_next_page_token(page.Fill(
        newest_first,
        [](const RolloutRecord* rollout) {
          return ListPlace{"", ~rollout->id};
        },
        [response](const RolloutRecord* rollout) {
          v1::Rollout* into = response->add_rollouts();
          *into = ToProto(*rollout);
          return into->ByteSizeLong();
        }));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Rollout>* RolloutService::WatchRollouts(
    grpc::CallbackServerContext* context, const v1::WatchRolloutsRequest* request) {
  using Stream = std::shared_ptr<WatchStream<v1::Rollout>>;
  return Watch<v1::Rollout>(
      context, cluster_, streams_, absl::OkStatus(),
      [this, only = request->service(),
       id = request->id()](const Stream& stream) -> std::function<void()> {
        absl::Status known = CheckFilter(cluster_, only);
        if (known.ok() && id != 0) known = FindRollout(cluster_, id, "").status();
        if (!known.ok()) {
          stream->End(ToGrpc(known));
          return [] {};
        }
        const auto send = [stream, only, id](const RolloutRecord& rollout) {
          const bool wanted =
              (only.empty() || rollout.service == only) && (id == 0 || rollout.id == id);
          if (wanted) stream->Send(ToProto(rollout));
        };
        const Rollouts& rollouts = cluster_.rollouts();
        for (const RolloutRecord& rollout : rollouts.records()) {
          if (id != 0 || rollouts.NewestOf(rollout.service) == &rollout) send(rollout);
        }
        const uint64_t subscription = cluster_.rollouts().subscribers().Add(send);
        return [this, subscription] { cluster_.rollouts().subscribers().Remove(subscription); };
      });
}

grpc::ServerUnaryReactor* RolloutService::PauseRollout(grpc::CallbackServerContext* context,
                                                       const v1::PauseRolloutRequest* request,
                                                       v1::Rollout* response) {
  return Perform(cluster_, context, &Rollouts::Pause, request, response);
}

grpc::ServerUnaryReactor* RolloutService::ResumeRollout(grpc::CallbackServerContext* context,
                                                        const v1::ResumeRolloutRequest* request,
                                                        v1::Rollout* response) {
  return Perform(cluster_, context, &Rollouts::Resume, request, response);
}

grpc::ServerUnaryReactor* RolloutService::AbortRollout(grpc::CallbackServerContext* context,
                                                       const v1::AbortRolloutRequest* request,
                                                       v1::Rollout* response) {
  return Perform(cluster_, context, &Rollouts::Abort, request, response);
}

grpc::ServerUnaryReactor* RolloutService::UndoRollout(grpc::CallbackServerContext* context,
                                                      const v1::UndoRolloutRequest* request,
                                                      v1::Rollout* response) {
  return Perform(cluster_, context, &Rollouts::Undo, request, response);
}

}  // namespace gocomet::controlplane
