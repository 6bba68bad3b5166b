#include "ctl/commands/listings.h"

#include "ctl/commands/resource.h"
#include "ctl/views/tables.h"

namespace gocomet::ctl {

Listing ListingOf(const v1::ListWorkersResponse& list, WallTime now) {
  Listing listing{list, {}, [&list, now](bool wide) { return WorkerTable(list, now, wide); }};
  for (const v1::Worker& worker : list.workers()) {
    listing.names.push_back(NameOf(Kind::kWorker, worker.name()));
  }
  return listing;
}

Listing ListingOf(const v1::ListBalancersResponse& list, WallTime now) {
  Listing listing{list, {}, [&list, now](bool wide) { return BalancerTable(list, now, wide); }};
  for (const v1::Balancer& balancer : list.balancers()) {
    listing.names.push_back(NameOf(Kind::kBalancer, balancer.name()));
  }
  return listing;
}

Listing ListingOf(const v1::ListServicesResponse& list, WallTime) {
  Listing listing{list, {}, [&list](bool wide) { return ServiceTable(list, wide); }};
  for (const v1::Service& service : list.services()) {
    listing.names.push_back(NameOf(Kind::kService, service.name()));
  }
  return listing;
}

Listing ListingOf(const v1::ListRevisionsResponse& list, WallTime now) {
  Listing listing{list, {}, [&list, now](bool wide) { return RevisionTable(list, now, wide); }};
  for (const v1::Revision& revision : list.revisions()) {
    listing.names.push_back(NameOf(Kind::kRevision, std::to_string(revision.number())));
  }
  return listing;
}

Listing ListingOf(const v1::ListEventsResponse& list, WallTime now) {
  Listing listing{list, {}, [&list, now](bool wide) { return EventTable(list, now, wide); }};
  for (const v1::Event& event : list.events()) {
    listing.names.push_back(NameOf(Kind::kEvent, std::to_string(event.sequence())));
  }
  return listing;
}

}  // namespace gocomet::ctl
