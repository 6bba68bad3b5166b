#include "controlplane/rpc/view_services.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/page.h"
#include "controlplane/rpc/request_checks.h"
#include "controlplane/rpc/unary.h"
#include "controlplane/rpc/watch.h"

namespace gocomet::controlplane {
namespace {

// `balancer-N` by its number, so that 10 comes after 9.
ListPlace PlaceOf(const Balancer& balancer) {
  const size_t dash = balancer.name.rfind('-');
  ListPlace place{balancer.name.substr(0, dash), 0};
  if (dash != std::string::npos) {
    std::from_chars(balancer.name.data() + dash + 1, balancer.name.data() + balancer.name.size(),
                    place.number);
  }
  return place;
}

ListPlace NewestFirst(const Event& event) { return {"", ~event.sequence}; }

absl::Status CheckFilter(const std::string& subject_prefix, v1::Severity at_least) {
  GOCOMET_RETURN_IF_ERROR(CheckLine("subject_prefix", subject_prefix, kSubjectPrefixMax));
  if (v1::Severity_IsValid(at_least)) return absl::OkStatus();
  return InvalidField("at_least", Cat("is ", static_cast<int>(at_least), ", which is no severity"));
}

absl::Status NoLongerKept(uint64_t after, uint64_t oldest) {
  return AtField("after_sequence",
                 absl::OutOfRangeError(Cat("after_sequence: the events between ", after, " and ",
                                           oldest, " are no longer at hand; watch from ", oldest,
                                           ", or list what there is and watch from its newest")));
}

bool IsAtLeast(const Event& event, v1::Severity at_least) {
  return static_cast<int>(event.severity) >= static_cast<int>(at_least);
}

}  // namespace

grpc::ServerUnaryReactor* BalancerService::GetBalancer(grpc::CallbackServerContext* context,
                                                       const v1::GetBalancerRequest* request,
                                                       v1::Balancer* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_RETURN_IF_ERROR(CheckName("name", request->name()));
    const Balancer* balancer = cluster_.balancers().Find(request->name());
    if (balancer == nullptr) {
      return AtField("name", absl::NotFoundError(Cat("there is no balancer '", request->name(),
                                                     "'; `gocometctl get balancers` lists them")));
    }
    *response = ToProto(*balancer);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BalancerService::ListBalancers(grpc::CallbackServerContext* context,
                                                         const v1::ListBalancersRequest* request,
                                                         v1::ListBalancersResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(
        const Page page, Page::Parse("balancers", "", request->page_size(), request->page_token()));
    const auto balancers = cluster_.balancers().balancers();
    std::vector<Balancer> sorted(balancers.begin(), balancers.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const Balancer& a, const Balancer& b) { return PlaceOf(a) < PlaceOf(b); });
    response->set_next_page_token(page.Fill(sorted, PlaceOf, [response](const Balancer& balancer) {
      v1::Balancer* into = response->add_balancers();
      *into = ToProto(balancer);
      return into->ByteSizeLong();
    }));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Balancer>* BalancerService::WatchBalancers(
    grpc::CallbackServerContext* context, const v1::WatchBalancersRequest*) {
  return Watch<v1::Balancer>(context, cluster_, streams_, absl::OkStatus(),
                             [this](const std::shared_ptr<WatchStream<v1::Balancer>>& stream) {
                               // Balancers report each second, mostly what is known already.
                               auto sent = std::make_shared<std::map<std::string, std::string>>();
                               const auto send = [stream, sent](const Balancer& balancer) {
                                 v1::Balancer proto = ToProto(balancer);
                                 std::string& before = (*sent)[balancer.name];
                                 std::string now = proto.SerializeAsString();
                                 if (now == before) return;
                                 before = std::move(now);
                                 stream->Send(std::move(proto));
                               };
                               for (const Balancer& balancer : cluster_.balancers().balancers())
                                 send(balancer);
                               const uint64_t id = cluster_.balancer_subscribers().Add(send);
                               return [this, id] { cluster_.balancer_subscribers().Remove(id); };
                             });
}

grpc::ServerUnaryReactor* EventService::ListEvents(grpc::CallbackServerContext* context,
                                                   const v1::ListEventsRequest* request,
                                                   v1::ListEventsResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_RETURN_IF_ERROR(CheckFilter(request->subject_prefix(), request->at_least()));
    GOCOMET_ASSIGN_OR_RETURN(
        const Page page,
        Page::Parse("events",
                    Cat(request->subject_prefix(), "/", static_cast<int>(request->at_least())),
                    request->page_size(), request->page_token()));
    std::vector<Event> events =
        cluster_.events().List(0, EventLog::kKeptInMemory, request->subject_prefix());
    std::erase_if(events,
                  [&](const Event& event) { return !IsAtLeast(event, request->at_least()); });
    response->set_next_page_token(page.Fill(events, NewestFirst, [response](const Event& event) {
      v1::Event* into = response->add_events();
      *into = ToProto(event);
      return into->ByteSizeLong();
    }));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Event>* EventService::WatchEvents(
    grpc::CallbackServerContext* context, const v1::WatchEventsRequest* request) {
  using Stream = std::shared_ptr<WatchStream<v1::Event>>;
  const absl::Status valid = CheckFilter(request->subject_prefix(), request->at_least());
  return Watch<v1::Event>(context, cluster_, streams_, valid,
                          [this, wanted = *request](const Stream& stream) {
                            const auto send = [stream, wanted](const Event& event) {
                              if (event.subject.starts_with(wanted.subject_prefix()) &&
                                  IsAtLeast(event, wanted.at_least())) {
                                stream->Send(ToProto(event));
                              }
                            };
                            const uint64_t after = wanted.after_sequence();
                            if (after != 0) {
                              const std::vector<Event> missed = cluster_.events().After(after);
                              if (!missed.empty() && missed.front().sequence != after + 1) {
                                stream->End(ToGrpc(NoLongerKept(after, missed.front().sequence)));
                              }
                              for (const Event& event : missed) send(event);
                            }
                            const uint64_t id = cluster_.events().subscribers().Add(send);
                            return [this, id] { cluster_.events().subscribers().Remove(id); };
                          });
}

void ClusterService::ListensOn(const std::string& address) {
  cluster_.mailbox().Post([this, address] { facts_.set_grpc_address(address); });
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
