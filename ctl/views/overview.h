#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "ctl/output/style.h"
#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/cluster.pb.h"
#include "gocomet/v1/statistics.pb.h"
#include "gocomet/v1/workers.pb.h"

namespace gocomet::ctl {

// Everything that the overview shows, as the control plane answered.
struct Overview {
  std::string server;
  v1::ClusterStatus cluster;
  v1::ListServicesResponse services;
  v1::ListWorkersResponse workers;
  v1::ListBalancersResponse balancers;
  v1::Statistics statistics;
};

// What is wrong, one sentence each; empty where nothing is. Pure.
std::vector<std::string> ProblemsOf(const Overview& overview, WallTime now);
// What is on its way to what is wanted and will get there by itself, one sentence each. Pure.
std::vector<std::string> ChangesOf(const Overview& overview);

// The whole system on one screen. Pure.
std::string DrawOverview(const Overview& overview, WallTime now, const Style& style);

}  // namespace gocomet::ctl
