#include "controlplane/cluster/preview.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using Kind = Preview::WorkerStep::Kind;

bool Stays(const Worker& worker) {
  return !worker.stop_wanted && worker.state != WorkerState::kStopped;
}

bool Serves(const Worker& worker) { return worker.state == WorkerState::kReady; }

const ServiceDesire* Find(const Desired& desired, const std::string& name) {
  for (const ServiceDesire& each : desired.services) {
    if (each.spec.name == name) return &each;
  }
  return nullptr;
}

class ServicePreview {
 public:
  // `to`: null where the service is no longer wanted.
  ServicePreview(const std::string& name, const ServiceDesire* from, const ServiceDesire* to,
                 std::span<const Worker> workers, std::vector<std::string>& sentences)
      : from_(from), to_(to), sentences_(sentences) {
    result_.service = name;
    for (const Worker& worker : workers) {
      if (worker.service == name && Stays(worker)) own_.push_back(&worker);
    }
    std::sort(own_.begin(), own_.end(),
              [](const Worker* a, const Worker* b) { return a->ordinal < b->ordinal; });
    for (const Worker* worker : own_) result_.serving += Serves(*worker) ? 1 : 0;
  }

  Preview::ServiceSteps Run() && {
    const size_t wanted = to_ != nullptr ? to_->spec.replicas : 0;
    Settings();
    StartMissing(wanted);
    StopSurplus(wanted);
    ReplaceOutdated();
    Capacity(wanted);
    return std::move(result_);
  }

 private:
  void Settings() {
    if (from_ == nullptr || to_ == nullptr || from_->spec.demo == to_->spec.demo) return;
    sentences_.push_back(Cat("send the new delay and failure rate to ", own_.size(), " workers of ",
                             result_.service, "; none is restarted"));
  }

  void StartMissing(size_t wanted) {
    std::set<uint32_t> used;
    for (const Worker* worker : own_) used.insert(worker->ordinal);
    uint32_t ordinal = 0;
    for (size_t count = own_.size(); count < wanted; ++count) {
      while (used.contains(ordinal)) ++ordinal;
      used.insert(ordinal);
      Start(ordinal);
    }
  }

  void Start(uint32_t ordinal) {
    const std::string name = Cat(result_.service, "-", ordinal);
    const std::vector<std::string>& endpoints = to_->spec.workload.endpoints;
    if (ordinal < endpoints.size()) {
      Step(Kind::kStart, name, 0, Cat("send requests to ", name, " at ", endpoints[ordinal]));
    } else {
      const uint32_t port = to_->spec.host_port_base + ordinal;
      Step(Kind::kStart, name, port, Cat("start ", name, " on port ", port));
    }
  }

  void StopSurplus(size_t wanted) {
    while (own_.size() > wanted) {
      const Worker& worker = *own_.back();
      Step(Kind::kStop, worker.name(), worker.port, Cat("drain, then stop ", worker.name()));
      own_.pop_back();
    }
  }

  // As the planner takes them: those that do not serve anyway come first.
  void ReplaceOutdated() {
    std::vector<const Worker*> outdated;
    for (const Worker* worker : own_) {
      if (!IsUpToDate(*worker, *to_)) outdated.push_back(worker);
    }
    std::stable_partition(outdated.begin(), outdated.end(),
                          [](const Worker* worker) { return !Serves(*worker); });
    for (const Worker* worker : outdated) {
      Step(Kind::kReplace, worker->name(), worker->port,
           Cat("replace ", worker->name(), ": start its successor, drain it, stop it"));
    }
    replaces_ = !outdated.empty();
  }

  void Capacity(size_t wanted) {
    const auto replicas = static_cast<uint32_t>(wanted);
    uint32_t kept = replicas;
    if (replaces_) {
      const Rollout& rollout = to_->spec.rollout;
      kept = replicas > rollout.max_unavailable ? replicas - rollout.max_unavailable : 0;
    }
    result_.lowest_serving = std::min(result_.serving, kept);
    if (to_ == nullptr || replicas == 0 || !to_->spec.workload.endpoints.empty()) return;
    result_.first_port = to_->spec.host_port_base;
    result_.last_port =
        result_.first_port + replicas - 1 + (replaces_ ? to_->spec.rollout.max_surge : 0);
  }

  void Step(Kind kind, const std::string& worker, uint32_t port, std::string sentence) {
    result_.steps.push_back({kind, worker, port});
    sentences_.push_back(std::move(sentence));
  }

  const ServiceDesire* from_;
  const ServiceDesire* to_;
  std::vector<std::string>& sentences_;
  std::vector<const Worker*> own_;  // By ordinal.
  bool replaces_ = false;
  Preview::ServiceSteps result_;
};

void PreviewStop(const Balancer& balancer, Preview& preview) {
  preview.balancers.push_back({false, balancer.name, balancer.address, balancer.connections});
  preview.client_connections_affected += balancer.connections;
}

// What there will be and is not, then what is and will not be.
void PreviewBalancers(const Desired& from, const Desired& to, std::span<const Balancer> balancers,
                      Preview& preview) {
  if (from.balancers == to.balancers) return;
  std::set<std::string> stay;
  std::set<std::string> replaced;
  for (uint32_t i = 0; i < to.balancers.count; ++i) {
    const std::string address = BalancerAddress(to.balancers, i);
    const Balancer* present = nullptr;
    const Balancer* on_port = nullptr;
    for (const Balancer& b : balancers) {
      if (HandoverName(b.name) == BalancerName(i)) present = &b;
      if (PortOf(b.address) == PortOf(address)) on_port = &b;
    }
    if (present != nullptr && RunsAsWanted(*present, to, address)) {
      stay.insert(present->name);
      continue;
    }
    const std::string name = present != nullptr ? TwinName(present->name) : BalancerName(i);
    preview.balancers.push_back({true, name, address, 0});
    if (on_port == nullptr) {
      preview.sentences.push_back(Cat("start ", name, " on ", address));
      continue;
    }
    replaced.insert(on_port->name);
    PreviewStop(*on_port, preview);
    preview.sentences.push_back(Cat("replace ", on_port->name, " by ", name, " on ", address,
                                    ", which takes over its sockets; no connection is refused"));
  }
  for (const Balancer& balancer : balancers) {
    if (stay.contains(balancer.name) || replaced.contains(balancer.name)) continue;
    PreviewStop(balancer, preview);
    preview.sentences.push_back(Cat("drain, then stop ", balancer.name, " on ", balancer.address));
  }
}

}  // namespace

Preview MakePreview(const Desired& from, const Desired& to, std::span<const Worker> workers,
                    std::span<const Balancer> balancers) {
  Preview preview;
  const auto add = [&](const std::string& name, const ServiceDesire* before,
                       const ServiceDesire* after) {
    auto steps = ServicePreview(name, before, after, workers, preview.sentences).Run();
    if (!steps.steps.empty()) preview.services.push_back(std::move(steps));
  };
  for (const ServiceDesire& next : to.services) {
    add(next.spec.name, Find(from, next.spec.name), &next);
  }
  for (const ServiceDesire& old : from.services) {
    if (Find(to, old.spec.name) == nullptr) add(old.spec.name, &old, nullptr);
  }
  if (from.routes != to.routes)
    preview.sentences.emplace_back("send the new routes to the balancers");
  PreviewBalancers(from, to, balancers, preview);
  return preview;
}

}  // namespace gocomet::controlplane
