#include "dataplane/route/router.h"

#include <algorithm>
#include <utility>

#include "common/http/path_readings.h"

namespace gocomet::dataplane {
namespace {

// Nobody may make us read a long path in dozens of ways.
constexpr size_t kOddPathBytesMax = 1024;

// Fields by which a proxy speaks of its client. Those of others are not passed on, so they must not
// choose a route either.
bool IsForwarded(http::FieldId id) {
  return id == http::FieldId::kXForwardedFor || id == http::FieldId::kXForwardedHost ||
         id == http::FieldId::kXForwardedProto;
}

bool Matches(const HeaderMatch& wanted, const RequestAddress& address) {
  return std::any_of(address.fields.begin(), address.fields.end(), [&](const http::Field& field) {
    return http::EqualsIgnoringCase(field.name, wanted.name) &&
           (!wanted.value || field.value == *wanted.value) &&
           (address.client_is_trusted || !IsForwarded(field.id));
  });
}

std::string_view WithoutQuery(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::shared_ptr<ServiceChoice> MakeChoice(const Route& route, const Router::Entry* previous) {
  if (route.targets.size() < 2) return nullptr;
  uint64_t position = 0;
  if (previous != nullptr && previous->choice) {
    const bool same = previous->route.targets == route.targets &&
                      previous->route.hash_on.has_value() == route.hash_on.has_value();
    if (same) return previous->choice;
    position = previous->choice->position();
  }
  return std::make_shared<ServiceChoice>(route.targets, route.hash_on.has_value(), position);
}

}  // namespace

RequestAddress AddressOf(const http::RequestHead& head, http::TargetForm form,
                         bool client_is_trusted) {
  const http::Field* host = head.fields.Find(http::FieldId::kHost);
  RequestAddress address{host != nullptr ? host->value : std::string_view(), head.target,
                         head.fields, client_is_trusted};
  if (form == http::TargetForm::kAbsolute) {
    const http::AbsoluteTarget parts = http::SplitAbsoluteTarget(head.target);
    address.host = parts.authority;
    address.path = parts.rest.starts_with('/')                      ? parts.rest
                   : head.method == "OPTIONS" && parts.rest.empty() ? "*"
                                                                    : "/";
  }
  address.path = WithoutQuery(address.path);
  return address;
}

Router::Router(std::vector<Route> routes, const Router* previous) {
  entries_.reserve(routes.size());
  for (Route& from : routes) {
    Entry& entry = entries_.emplace_back();
    entry.route = std::move(from);
    const Route& route = entry.route;
    std::erase_if(entry.route.targets, [](const RouteTarget& t) { return t.weight == 0; });
    entry.first_target = targets_;
    targets_ += entry.route.targets.size();
    entry.choice =
        MakeChoice(route, previous != nullptr ? previous->FindByName(route.name) : nullptr);
    looks_at_hosts_ = looks_at_hosts_ || !route.host.takes_any();
    looks_at_paths_ = looks_at_paths_ || !route.path.takes_any();
  }
  if (!entries_.empty() && entries_.front().route.takes_everything()) {
    for_everything_ = &entries_.front();
  }
}

Router::Result Router::Find(const RequestAddress& address) const {
  if (for_everything_ != nullptr) return {Verdict::kFound, for_everything_};
  if (looks_at_hosts_ && address.host.find('%') != std::string_view::npos) {
    return {Verdict::kAmbiguousHost};
  }
  const std::string_view host_name =
      looks_at_hosts_ ? http::NameOfHost(address.host) : std::string_view();
  const Entry* found = nullptr;
  // `OPTIONS *` is about the server as a whole: only routes for any path take it.
  if (!looks_at_paths_ || address.path == "*" || http::IsPlainPath(address.path)) {
    found = FirstFor(address, host_name, address.path);
  } else {
    const std::vector<std::string> readings = http::ReadingsOf(address.path, kOddPathBytesMax);
    if (readings.empty()) return {Verdict::kAmbiguousPath};
    found = FirstFor(address, host_name, readings.front());
    for (const std::string& reading : readings) {
      if (FirstFor(address, host_name, reading) != found) return {Verdict::kAmbiguousPath};
    }
  }
  return {found != nullptr ? Verdict::kFound : Verdict::kNoRoute, found};
}

const Router::Entry* Router::FirstFor(const RequestAddress& address, std::string_view host_name,
                                      std::string_view reading) const {
  for (const Entry& entry : entries_) {
    const Route& route = entry.route;
    if (!route.path.Takes(reading) || !route.host.Takes(host_name)) continue;
    const bool headers_match =
        std::all_of(route.headers.begin(), route.headers.end(),
                    [&](const HeaderMatch& wanted) { return Matches(wanted, address); });
    if (headers_match) return &entry;
  }
  return nullptr;
}

const Router::Entry* Router::FindByName(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [name](const Entry& e) { return e.route.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

void Router::CountInto(std::string_view name, Requests requests) {
  for (Entry& entry : entries_) {
    if (entry.route.name == name) entry.requests = std::move(requests);
  }
}

}  // namespace gocomet::dataplane
