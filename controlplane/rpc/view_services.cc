#include "controlplane/rpc/view_services.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/unary.h"
#include "controlplane/rpc/watch.h"

namespace gocomet::controlplane {

grpc::ServerUnaryReactor* BalancerService::GetBalancer(grpc::CallbackServerContext* context,
                                                       const v1::GetBalancerRequest* request,
                                                       v1::Balancer* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    if (request->name().empty()) return InvalidField("name", "must name a balancer");
    const Balancer* balancer = cluster_.balancers().Find(request->name());
    if (balancer == nullptr) {
      return absl::NotFoundError(Cat("there is no balancer '", request->name(),
                                     "'; `gocometctl get balancers` lists them"));
    }
    *response = ToProto(*balancer);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BalancerService::ListBalancers(grpc::CallbackServerContext* context,
                                                         const v1::ListBalancersRequest* request,
                                                         v1::ListBalancersResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    const auto page = Page::Parse(request->page_size(), request->page_token());
    if (!page.ok()) return page.status();
    response->set_next_page_token(page->Fill(
        cluster_.balancers().balancers(),
        [response](const Balancer& balancer) { *response->add_balancers() = ToProto(balancer); }));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Balancer>* BalancerService::WatchBalancers(
    grpc::CallbackServerContext*, const v1::WatchBalancersRequest*) {
  return Watch<v1::Balancer>(
      cluster_, [this](const std::shared_ptr<WatchStream<v1::Balancer>>& stream) {
        for (const Balancer& balancer : cluster_.balancers().balancers())
          stream->Send(ToProto(balancer));
        const uint64_t id = cluster_.balancer_subscribers().Add(
            [stream](const Balancer& balancer) { stream->Send(ToProto(balancer)); });
        return [this, id] { cluster_.balancer_subscribers().Remove(id); };
      });
}

grpc::ServerUnaryReactor* EventService::ListEvents(grpc::CallbackServerContext* context,
                                                   const v1::ListEventsRequest* request,
                                                   v1::ListEventsResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    const auto page = Page::Parse(request->page_size(), request->page_token());
    if (!page.ok()) return page.status();
    // Events keep coming: a page begins below the last one's sequence, not at an offset.
    const std::vector<Event> events =
        cluster_.events().List(page->offset, page->limit, request->subject_prefix());
    for (const Event& event : events) *response->add_events() = ToProto(event);
    if (events.size() == page->limit && events.back().sequence > 1) {
      response->set_next_page_token(std::to_string(events.back().sequence));
    }
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Event>* EventService::WatchEvents(
    grpc::CallbackServerContext*, const v1::WatchEventsRequest* request) {
  const uint64_t after = request->after_sequence();
  return Watch<v1::Event>(cluster_, [this, after, prefix = request->subject_prefix()](
                                        const std::shared_ptr<WatchStream<v1::Event>>& stream) {
    const auto send = [stream, prefix](const Event& event) {
      if (event.subject.starts_with(prefix)) stream->Send(ToProto(event));
    };
    if (after != 0) {
      for (const Event& event : cluster_.events().After(after)) send(event);
    }
    const uint64_t id = cluster_.events().subscribers().Add(send);
    return [this, id] { cluster_.events().subscribers().Remove(id); };
  });
}

grpc::ServerUnaryReactor* ClusterService::GetStatus(grpc::CallbackServerContext* context,
                                                    const v1::GetStatusRequest*,
                                                    v1::ClusterStatus* response) {
  return Answer(cluster_, context, [this, response] {
    *response = facts_;
    response->set_runtime_available(cluster_.workers().runtime_available());
    response->set_runtime_problem(cluster_.workers().runtime_problem());
    response->set_revision(cluster_.desired_state().newest().number);
    response->set_converged(cluster_.Converged());
    response->set_stopping(cluster_.stopping());
    return absl::OkStatus();
  });
}

}  // namespace gocomet::controlplane
