#pragma once

#include "common/base/clock.h"
#include "ctl/output/printer.h"
#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/workers.pb.h"

// Lists with their names and tables. Each refers to `list`, which must outlive it.
namespace gocomet::ctl {

Listing ListingOf(const v1::ListWorkersResponse& list, WallTime now);
Listing ListingOf(const v1::ListBalancersResponse& list, WallTime now);
Listing ListingOf(const v1::ListServicesResponse& list, WallTime now);
Listing ListingOf(const v1::ListRevisionsResponse& list, WallTime now);
Listing ListingOf(const v1::ListEventsResponse& list, WallTime now);

}  // namespace gocomet::ctl
