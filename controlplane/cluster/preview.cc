#include "controlplane/cluster/preview.h"

#include <algorithm>
#include <set>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

bool Stays(const Worker& worker) {
  return !worker.stop_wanted && worker.state != WorkerState::kStopped;
}

void PreviewService(const ServiceDesire* from, const ServiceDesire& to,
                    std::span<const Worker> workers, std::vector<std::string>& steps) {
  std::vector<const Worker*> own;
  for (const Worker& worker : workers) {
    if (worker.service == to.spec.name && Stays(worker)) own.push_back(&worker);
  }
  std::sort(own.begin(), own.end(),
            [](const Worker* a, const Worker* b) { return a->ordinal < b->ordinal; });
  if (from != nullptr && from->spec.demo != to.spec.demo) {
    steps.push_back(Cat("send the new delay and failure rate to ", own.size(), " workers of ",
                        to.spec.name, "; none is restarted"));
  }
  const size_t wanted = to.spec.replicas;
  std::set<uint32_t> used;
  for (const Worker* worker : own) used.insert(worker->ordinal);
  for (size_t count = own.size(); count < wanted; ++count) {
    uint32_t ordinal = 0;
    while (used.contains(ordinal)) ++ordinal;
    used.insert(ordinal);
    steps.push_back(
        Cat("start ", to.spec.name, "-", ordinal, " on port ", to.spec.host_port_base + ordinal));
  }
  while (own.size() > wanted) {
    steps.push_back(Cat("drain, then stop ", own.back()->name()));
    own.pop_back();
  }
  for (const Worker* worker : own) {
    if (IsUpToDate(*worker, to)) continue;
    steps.push_back(Cat("replace ", worker->name(), ": start its successor, drain it, stop it"));
  }
}

void PreviewBalancers(const BalancerPool& from, const BalancerPool& to,
                      std::span<const Balancer> balancers, std::vector<std::string>& steps) {
  if (from == to) return;
  std::set<std::string> stay;
  for (uint32_t i = 0; i < to.count; ++i) {
    const std::string address = BalancerAddress(to, i);
    const auto runs = std::find_if(balancers.begin(), balancers.end(), [&](const Balancer& b) {
      return b.name == BalancerName(i) && b.address == address && b.threads == to.threads;
    });
    if (runs != balancers.end()) {
      stay.insert(runs->name);
    } else {
      steps.push_back(Cat("start ", BalancerName(i), " on ", address));
    }
  }
  for (const Balancer& balancer : balancers) {
    if (stay.contains(balancer.name)) continue;
    steps.push_back(Cat("drain, then stop ", balancer.name, " on ", balancer.address));
  }
}

}  // namespace

std::vector<std::string> PreviewSteps(const Desired& from, const Desired& to,
                                      std::span<const Worker> workers,
                                      std::span<const Balancer> balancers) {
  std::vector<std::string> steps;
  for (const ServiceDesire& next : to.services) {
    const auto before =
        std::find_if(from.services.begin(), from.services.end(),
                     [&](const ServiceDesire& s) { return s.spec.name == next.spec.name; });
    PreviewService(before == from.services.end() ? nullptr : &*before, next, workers, steps);
  }
  PreviewBalancers(from.balancers, to.balancers, balancers, steps);
  return steps;
}

}  // namespace gocomet::controlplane
