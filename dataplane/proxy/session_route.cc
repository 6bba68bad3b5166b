// Which service a session's request goes to, and what that means for it.
#include "dataplane/proxy/session.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {

Router::Verdict Session::ChooseService(const http::RequestHead& head, http::TargetForm form) {
  router_ = shard_.router();
  route_ = router_->for_everything();
  if (route_ == nullptr) {
    const Router::Result result = router_->Find(AddressOf(head, form, client_is_trusted_));
    route_ = result.entry;
    if (route_ == nullptr) return result.verdict;
  }
  key_hash_.reset();
  if (const auto& hash_on = route_->route.hash_on) {
    key_hash_ = hash_on->KeyOf(head.fields, client_ip_);
  }
  target_ = route_->Choose(key_hash_);
  if (route_->requests) Count(*route_->requests);
  return Router::Verdict::kFound;
}

void Session::RefuseUnrouted(Router::Verdict verdict) {
  if (verdict == Router::Verdict::kAmbiguousPath) {
    return Refuse(400, "ambiguous_path",
                  "servers read this path differently, and it would be routed differently");
  }
  if (verdict == Router::Verdict::kAmbiguousHost) {
    return Refuse(400, "ambiguous_host", "the host's name is percent-encoded");
  }
  Count(shard_.mutable_counters().unrouted);
  Refuse(404, "no_route", "no route is for this host, path and these headers", true);
}

void Session::ForgetRoute() {
  route_ = nullptr;
  router_ = HeldRouter();
}

const RoutingTable* Session::Workers() const {
  return shard_.routing().WorkersFor(*router_, *route_, target_);
}

std::chrono::milliseconds Session::ConnectTimeout() const {
  return route_->route.limits.connect_timeout.value_or(shard_.limits().connect_timeout);
}

std::chrono::milliseconds Session::ResponseTimeout() const {
  return route_->route.limits.response_timeout.value_or(shard_.limits().response_timeout);
}

std::chrono::milliseconds Session::BodyTimeout() const {
  return route_->route.limits.body_timeout.value_or(shard_.limits().body_timeout);
}

uint32_t Session::RetriesMax() const {
  return route_->route.limits.retries_max.value_or(shard_.limits().retries_max);
}

}  // namespace gocomet::dataplane
