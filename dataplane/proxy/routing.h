#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/proxy/endpoint.h"
#include "dataplane/proxy/routing_table.h"
#include "dataplane/route/router.h"

namespace gocomet::dataplane {

using RoutingTablePointer = std::shared_ptr<const RoutingTable>;

// What every thread routes by: the routes, and for each service that one of them may choose the
// workers that may have its requests. Immutable but for turns and counters; published whole,
// replaced whole. The routes change with the config alone; so a request that is under way needs
// them, and not the workers of long ago.
class Routing {
 public:
  // No routes and no workers.
  Routing() : router_(std::make_shared<Router>()) {}
  // `tables`: of each target of each route of `router`, in order. `services`: of every service,
  // whether a route chooses it or not.
  Routing(std::shared_ptr<const Router> router, std::vector<RoutingTablePointer> tables,
          std::map<std::string, RoutingTablePointer, std::less<>> services);
  // One service for everything.
  explicit Routing(RoutingTablePointer table, std::string service = "");

  const std::shared_ptr<const Router>& router() const { return router_; }
  // The workers of the service at place `target` of a route of `router`, which may be one of before
  // this. The service stays the same; null where it is gone.
  const RoutingTable* WorkersFor(const Router& router, const Router::Entry& route,
                                 size_t target) const {
    if (&router == router_.get()) return tables_[route.first_target + target].get();
    return WorkersAmongOthers(route, target);
  }
  // All that a request may go to, in the order of their addresses in memory.
  const std::vector<const Endpoint*>& endpoints() const { return endpoints_; }

 private:
  const RoutingTable* WorkersAmongOthers(const Router::Entry& route, size_t target) const;
  void CollectEndpoints();

  std::shared_ptr<const Router> router_;
  std::vector<RoutingTablePointer> tables_;
  std::map<std::string, RoutingTablePointer, std::less<>> services_;
  std::vector<const Endpoint*> endpoints_;
};

}  // namespace gocomet::dataplane
