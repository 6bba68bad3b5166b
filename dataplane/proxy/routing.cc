#include "dataplane/proxy/routing.h"

#include <algorithm>
#include <utility>

namespace gocomet::dataplane {

Routing::Routing(std::shared_ptr<const Router> router, std::vector<RoutingTablePointer> tables,
                 std::map<std::string, RoutingTablePointer, std::less<>> services)
    : router_(std::move(router)), tables_(std::move(tables)), services_(std::move(services)) {
  CollectEndpoints();
}

Routing::Routing(RoutingTablePointer table, std::string service)
    : tables_{table}, services_{{service, table}} {
  Route route;
  route.targets = {{std::move(service)}};
  router_ = std::make_shared<Router>(std::vector<Route>{std::move(route)});
  CollectEndpoints();
}

void Routing::CollectEndpoints() {
  for (const auto& [name, table] : services_) {
    for (const EndpointPointer& endpoint : table->eligible) endpoints_.push_back(endpoint.get());
  }
  std::sort(endpoints_.begin(), endpoints_.end());
}

const RoutingTable* Routing::WorkersAmongOthers(const Router::Entry& route, size_t target) const {
  const std::string& service = route.route.targets[target].service;
  if (const Router::Entry* now = router_->FindByName(route.route.name)) {
    const std::vector<RouteTarget>& targets = now->route.targets;
    for (size_t place = 0; place < targets.size(); ++place) {
      if (targets[place].service == service) return tables_[now->first_target + place].get();
    }
  }
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : found->second.get();
}

}  // namespace gocomet::dataplane
