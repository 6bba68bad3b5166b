#pragma once

#include <string>

#include "common/base/clock.h"
#include "ctl/output/style.h"
#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/workers.pb.h"

// Everything known about one thing, as text, its newest events last. Pure.
namespace gocomet::ctl {

std::string DescribeWorker(const v1::Worker& worker, const v1::ListEventsResponse& events,
                           WallTime now, const Style& style);
std::string DescribeBalancer(const v1::Balancer& balancer, const v1::ListEventsResponse& events,
                             WallTime now, const Style& style);
std::string DescribeService(const v1::Service& service, const v1::ListWorkersResponse& workers,
                            const v1::ListEventsResponse& events, WallTime now, const Style& style);

}  // namespace gocomet::ctl
