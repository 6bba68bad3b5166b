#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/address.h"
#include "common/probe/prober.h"
#include "dataplane/health/ejection.h"
#include "dataplane/health/endpoint_health.h"
#include "dataplane/route/route.h"

// What a balancer is to do, from the command line or from the control plane. Values.
namespace gocomet::dataplane {

struct HealthSettings {
  std::string path;  // Empty: connecting is enough.
  std::string method = "GET";
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds timeout{2000};
  std::vector<StatusRange> expected{{200, 399}};
  HealthPolicy policy;
  uint32_t panic_percent = 30;  // With fewer left than that, judgements are not heeded.
};

struct WantedEndpoint {
  std::string worker_id;
  uint64_t incarnation = 0;
  Address address;
  bool draining = false;
  uint32_t weight = 1;
};

// The workers of one service, and how they are judged: by themselves, whatever befalls others.
struct WantedService {
  std::string name;
  std::vector<WantedEndpoint> endpoints;
  HealthSettings health;
  EjectionPolicy ejection;
  std::chrono::milliseconds slow_start{0};
};

struct Assignment {
  std::vector<WantedService> services;
  std::vector<Route> routes;  // Of these services.
};

}  // namespace gocomet::dataplane
