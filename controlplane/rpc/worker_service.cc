#include "controlplane/rpc/worker_service.h"

#include <algorithm>
#include <tuple>
#include <utility>

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

// By service, then ordinal: the order in which people expect them.
ListPlace PlaceOf(const Worker& worker) { return {worker.service, worker.ordinal}; }

std::vector<const Worker*> Sorted(Cluster& cluster, const std::string& service) {
  std::vector<const Worker*> workers;
  for (const Worker& worker : cluster.workers().workers()) {
    if (service.empty() || worker.service == service) workers.push_back(&worker);
  }
  std::sort(workers.begin(), workers.end(), [](const Worker* a, const Worker* b) {
    return std::tie(a->service, a->ordinal) < std::tie(b->service, b->ordinal);
  });
  return workers;
}

// Fills the answer of a verb about one worker.
absl::Status Fill(Cluster& cluster, const absl::StatusOr<Worker*>& worker, v1::Worker* response) {
  if (!worker.ok()) return worker.status();
  *response = DescribeWorker(cluster, **worker);
  return absl::OkStatus();
}

absl::Status Perform(Cluster& cluster, const std::string& id,
                     absl::StatusOr<Worker*> (Cluster::*verb)(const std::string&),
                     v1::Worker* response) {
  GOCOMET_ASSIGN_OR_RETURN(const Worker* worker, FindWorker(cluster, "id", id));
  const auto done = (cluster.*verb)(worker->name());
  if (!done.ok()) return AtField("id", done.status());
  return Fill(cluster, done, response);
}

absl::Status CheckFilter(Cluster& cluster, const std::string& service) {
  return service.empty() ? absl::OkStatus() : FindService(cluster, "service", service).status();
}

absl::Status CheckChange(Cluster& cluster, const std::string& name, const std::string& author,
                         const std::string& reason) {
  GOCOMET_RETURN_IF_ERROR(FindService(cluster, "name", name).status());
  GOCOMET_RETURN_IF_ERROR(CheckLine("author", author, kAuthorMax));
  return CheckLine("reason", reason, kReasonMax);
}

v1::WorkerChange DescribeChange(Cluster& cluster, const WorkerChange& change) {
  v1::WorkerChange proto;
  if (change.type == WorkerChange::Type::kRemoved) {
    proto.set_type(v1::WorkerChange::TYPE_REMOVED);
    proto.mutable_worker()->set_id(change.worker.id);
    proto.mutable_worker()->set_name(change.worker.name());
    proto.mutable_worker()->set_service(change.worker.service);
    proto.mutable_worker()->set_ordinal(change.worker.ordinal);
  } else {
    proto.set_type(v1::WorkerChange::TYPE_CHANGED);
    *proto.mutable_worker() = DescribeWorker(cluster, change.worker);
  }
  return proto;
}

}  // namespace

grpc::ServerUnaryReactor* ServiceService::GetService(grpc::CallbackServerContext* context,
                                                     const v1::GetServiceRequest* request,
                                                     v1::Service* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(const controlplane::Service* service,
                             FindService(cluster_, "name", request->name()));
    *response = DescribeService(cluster_, *service);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ServiceService::ListServices(grpc::CallbackServerContext* context,
                                                       const v1::ListServicesRequest* request,
                                                       v1::ListServicesResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(
        const Page page, Page::Parse("services", "", request->page_size(), request->page_token()));
    std::vector<controlplane::Service> services = cluster_.desired_state().config().services;
    std::sort(services.begin(), services.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    response->set_next_page_token(page.Fill(
        services, [](const controlplane::Service& service) { return ListPlace{service.name}; },
        [&](const controlplane::Service& service) {
          v1::Service* into = response->add_services();
          *into = DescribeService(cluster_, service);
          return into->ByteSizeLong();
        }));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Service>* ServiceService::WatchServices(
    grpc::CallbackServerContext* context, const v1::WatchServicesRequest*) {
  using Stream = std::shared_ptr<WatchStream<v1::Service>>;
  return Watch<v1::Service>(
      context, cluster_, streams_, absl::OkStatus(), [this](const Stream& stream) {
        const auto send = [this, stream](const std::string& name) {
          const auto service = cluster_.LookupService(name);
          if (service.ok()) stream->Send(DescribeService(cluster_, **service));
        };
        for (const controlplane::Service& service : cluster_.desired_state().config().services)
          send(service.name);
        const uint64_t by_worker = cluster_.worker_subscribers().Add(
            [send](const WorkerChange& change) { send(change.worker.service); });
        const uint64_t by_revision =
            cluster_.desired_state().subscribers().Add([this, send](const Revision&) {
              for (const controlplane::Service& service :
                   cluster_.desired_state().config().services) {
                send(service.name);
              }
            });
        return [this, by_worker, by_revision] {
          cluster_.worker_subscribers().Remove(by_worker);
          cluster_.desired_state().subscribers().Remove(by_revision);
        };
      });
}

grpc::ServerUnaryReactor* ServiceService::ScaleService(grpc::CallbackServerContext* context,
                                                       const v1::ScaleServiceRequest* request,
                                                       v1::ScaleServiceResponse* response) {
  return AnswerLater(
      cluster_, context,
      [this, request, response,
       author = AuthorOf(context, request->author())](const std::shared_ptr<Reply>& reply) {
        const absl::Status valid =
            CheckChange(cluster_, request->name(), request->author(), request->reason());
        if (!valid.ok()) return reply->Finish(ToGrpc(valid));
        ConfigChange change;
        change.base_revision = request->base_revision();
        change.author = author;
        change.reason = request->reason();
        change.source = "scale";
        cluster_.ScaleService(
            request->name(), request->replicas(), std::move(change),
            [this, request, response, reply](absl::StatusOr<ConfigChangeResult> result) {
              if (result.ok()) {
                *response->mutable_revision() = ToProto(result->revision);
                const auto service = cluster_.LookupService(request->name());
                if (service.ok()) {
                  *response->mutable_service() = DescribeService(cluster_, **service);
                }
              }
              reply->Finish(ToGrpc(result.status()));
            });
      });
}

grpc::ServerUnaryReactor* ServiceService::RestartService(grpc::CallbackServerContext* context,
                                                         const v1::RestartServiceRequest* request,
                                                         v1::RestartServiceResponse* response) {
  return AnswerLater(
      cluster_, context,
      [this, request, response,
       author = AuthorOf(context, request->author())](const std::shared_ptr<Reply>& reply) {
        const absl::Status valid =
            CheckChange(cluster_, request->name(), request->author(), request->reason());
        if (!valid.ok()) return reply->Finish(ToGrpc(valid));
        const auto service = cluster_.LookupService(request->name());
        if (!service.ok()) return reply->Finish(ToGrpc(service.status()));
        const Asked asked{author, request->reason()};
        const std::string name = (*service)->name;
        cluster_.RestartService(
            name, asked,
            [this, name, response, reply](const absl::StatusOr<RolloutRecord>& rollout) {
              if (!rollout.ok()) return reply->Finish(ToGrpc(AtField("name", rollout.status())));
              *response->mutable_rollout() = ToProto(*rollout);
              const auto restarted = cluster_.LookupService(name);
              if (restarted.ok()) {
                *response->mutable_service() = DescribeService(cluster_, **restarted);
              }
              reply->Finish(grpc::Status::OK);
            });
      });
}

grpc::ServerUnaryReactor* WorkerService::GetWorker(grpc::CallbackServerContext* context,
                                                   const v1::GetWorkerRequest* request,
                                                   v1::Worker* response) {
  return Answer(cluster_, context, [this, request, response] {
    return Fill(cluster_, FindWorker(cluster_, "id", request->id()), response);
  });
}

grpc::ServerUnaryReactor* WorkerService::ListWorkers(grpc::CallbackServerContext* context,
                                                     const v1::ListWorkersRequest* request,
                                                     v1::ListWorkersResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_RETURN_IF_ERROR(CheckFilter(cluster_, request->service()));
    GOCOMET_ASSIGN_OR_RETURN(
        const Page page,
        Page::Parse("workers", request->service(), request->page_size(), request->page_token()));
    response->set_next_page_token(page.Fill(
        Sorted(cluster_, request->service()), [](const Worker* worker) { return PlaceOf(*worker); },
        [&](const Worker* worker) {
          v1::Worker* into = response->add_workers();
          *into = DescribeWorker(cluster_, *worker);
          return into->ByteSizeLong();
        }));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::WorkerChange>* WorkerService::WatchWorkers(
    grpc::CallbackServerContext* context, const v1::WatchWorkersRequest* request) {
  using Stream = std::shared_ptr<WatchStream<v1::WorkerChange>>;
  return Watch<v1::WorkerChange>(
      context, cluster_, streams_, absl::OkStatus(),
      [this, only = request->service()](const Stream& stream) -> std::function<void()> {
        if (const absl::Status known = CheckFilter(cluster_, only); !known.ok()) {
          stream->End(ToGrpc(known));
          return [] {};
        }
        for (const Worker* worker : Sorted(cluster_, only)) {
          v1::WorkerChange change;
          change.set_type(v1::WorkerChange::TYPE_SNAPSHOT);
          *change.mutable_worker() = DescribeWorker(cluster_, *worker);
          stream->Send(std::move(change));
        }
        v1::WorkerChange synced;
        synced.set_type(v1::WorkerChange::TYPE_SYNCED);
        stream->Send(std::move(synced));
        const uint64_t id =
            cluster_.worker_subscribers().Add([this, stream, only](const WorkerChange& change) {
              if (only.empty() || change.worker.service == only)
                stream->Send(DescribeChange(cluster_, change));
            });
        return [this, id] { cluster_.worker_subscribers().Remove(id); };
      });
}

grpc::ServerUnaryReactor* WorkerService::RestartWorker(grpc::CallbackServerContext* context,
                                                       const v1::RestartWorkerRequest* request,
                                                       v1::Worker* response) {
  return Answer(cluster_, context, [this, request, response] {
    return Perform(cluster_, request->id(), &Cluster::RestartWorker, response);
  });
}

grpc::ServerUnaryReactor* WorkerService::DrainWorker(grpc::CallbackServerContext* context,
                                                     const v1::DrainWorkerRequest* request,
                                                     v1::Worker* response) {
  return Answer(cluster_, context, [this, request, response] {
    return Perform(cluster_, request->id(), &Cluster::Drain, response);
  });
}

grpc::ServerUnaryReactor* WorkerService::UndrainWorker(grpc::CallbackServerContext* context,
                                                       const v1::UndrainWorkerRequest* request,
                                                       v1::Worker* response) {
  return Answer(cluster_, context, [this, request, response] {
    return Perform(cluster_, request->id(), &Cluster::Undrain, response);
  });
}

}  // namespace gocomet::controlplane
