// The part of the plan that is about balancers.
//
// A balancer that is to run with other threads, on another address, or as another program, is
// replaced by a twin: a second process with a name and a state directory of its own. Where one
// serves on the twin's port already, whatever its name, the twin takes over its listening sockets;
// so no connection is refused. Once the twin serves, the first one goes.
#include <algorithm>
#include <string_view>

#include "common/base/text.h"
#include "controlplane/cluster/plan_parts.h"

namespace gocomet::controlplane {
namespace {

constexpr char kTwinSuffix = 'b';

bool IsRunning(const Balancer& b) { return b.process_alive && b.state != BalancerState::kDraining; }

// Whether a wanted port is served by nobody else yet, so that who serves it must stay.
class Ports {
 public:
  Ports(const Desired& desired, uint32_t count, std::span<const Balancer> balancers) {
    for (uint32_t i = 0; i < count; ++i) {
      const std::string address = BalancerAddress(desired.balancers, i);
      const bool is_served = std::any_of(balancers.begin(), balancers.end(), [&](const auto& b) {
        return IsRunning(b) && b.state == BalancerState::kReady &&
               HandoverName(b.name) == BalancerName(i) && RunsAsWanted(b, desired, address);
      });
      if (!is_served) unserved_.insert(std::string(PortOf(address)));
    }
  }
  bool Need(const Balancer& b) const { return unserved_.contains(PortOf(b.address)); }

 private:
  std::set<std::string, std::less<>> unserved_;
};

// The balancers of one place in the pool, of which there is one but for a replacement.
class SlotPlanner {
 public:
  SlotPlanner(const Desired& desired, uint32_t index, std::span<const Balancer> balancers,
              const Ports& ports, SteadyTime now, Plan& plan)
      : desired_(desired),
        name_(BalancerName(index)),
        address_(BalancerAddress(desired.balancers, index)),
        ports_(ports),
        now_(now),
        plan_(plan) {
    for (const Balancer& b : balancers) {
      if (HandoverName(b.name) == name_) members_.push_back(&b);
    }
  }

  void Run() {
    std::vector<const Balancer*> running;
    for (const Balancer* b : members_) {
      if (!IsRunning(*b)) continue;
      if (IsFit(*b)) return ClearFor(*b);
      running.push_back(b);
    }
    if (running.empty()) return Restart();
    if (running.size() == 1) return StartTwinOf(*running.front());
    MakeRoom(running);
  }

 private:
  bool IsFit(const Balancer& b) const { return RunsAsWanted(b, desired_, address_); }

  // The others go once `fit` serves; those that do not run, at once.
  void ClearFor(const Balancer& fit) {
    for (const Balancer* b : members_) {
      if (b == &fit) continue;
      if (!b->process_alive) {
        plan_.actions.emplace_back(ForgetBalancer{b->name});
      } else if (IsRunning(*b) && fit.state == BalancerState::kReady && !ports_.Need(*b)) {
        plan_.actions.emplace_back(StopBalancer{b->name});
      }
    }
  }

  void StartTwinOf(const Balancer& before) {
    const std::string twin = TwinName(before.name);
    for (const Balancer* b : members_) {
      if (b->name != twin) continue;
      if (b->process_alive || !IsDue(*b)) return;
    }
    Start(twin);
  }

  // Both names are taken, by none that is wanted any more. Two on one port are about to hand over,
  // which ends one of them.
  void MakeRoom(const std::vector<const Balancer*>& running) {
    if (PortOf(running[0]->address) == PortOf(running[1]->address)) return;
    const Balancer* spared = nullptr;
    for (const Balancer* b : running) {
      if (ports_.Need(*b)) continue;
      if (spared == nullptr || b->state != BalancerState::kReady) spared = b;
    }
    if (spared != nullptr) plan_.actions.emplace_back(StopBalancer{spared->name});
  }

  // Nothing runs, though some may still finish what they have: starts the one that ended, or the
  // first.
  void Restart() {
    const Balancer* kept = nullptr;
    bool forgets = false;
    for (const Balancer* b : members_) {
      if (b->process_alive) continue;
      if (kept == nullptr && IsFit(*b)) {
        kept = b;
      } else {
        plan_.actions.emplace_back(ForgetBalancer{b->name});
        forgets = true;
      }
    }
    if (kept != nullptr) {
      if (IsDue(*kept)) Start(kept->name);
      return;
    }
    if (forgets) return;
    for (const std::string& name : {name_, TwinName(name_)}) {
      const bool taken = std::any_of(members_.begin(), members_.end(),
                                     [&name](const Balancer* b) { return b->name == name; });
      if (!taken) return Start(name);
    }
  }

  bool IsDue(const Balancer& b) {
    if (now_ >= b.next_start) return true;
    if (!plan_.wake || b.next_start < *plan_.wake) plan_.wake = b.next_start;
    return false;
  }

  void Start(const std::string& name) {
    plan_.actions.emplace_back(StartBalancer{name, address_, desired_.balancers.threads});
  }

  const Desired& desired_;
  const std::string name_;
  const std::string address_;
  const Ports& ports_;
  const SteadyTime now_;
  Plan& plan_;
  std::vector<const Balancer*> members_;
};

}  // namespace

std::string BalancerName(uint32_t index) { return Cat("balancer-", index); }

std::string HandoverName(const std::string& name) {
  return name.ends_with(kTwinSuffix) ? name.substr(0, name.size() - 1) : name;
}

std::string TwinName(const std::string& name) {
  return name.ends_with(kTwinSuffix) ? HandoverName(name) : name + kTwinSuffix;
}

std::string BalancerAddress(const BalancerPool& pool, uint32_t index) {
  const bool v6 = pool.bind_address.find(':') != std::string::npos;
  return Cat(v6 ? "[" : "", pool.bind_address, v6 ? "]:" : ":", pool.port_base + index);
}

std::string_view PortOf(std::string_view address) { return address.substr(address.rfind(':') + 1); }

bool RunsAsWanted(const Balancer& balancer, const Desired& desired, const std::string& address) {
  return balancer.address == address && balancer.threads == desired.balancers.threads &&
         (balancer.program == desired.balancer_program || balancer.program.empty());
}

void PlanBalancers(const Desired& desired, std::span<const Balancer> balancers, SteadyTime now,
                   Plan& plan) {
  const uint32_t count = desired.stopping ? 0 : desired.balancers.count;
  const Ports ports(desired, count, balancers);
  std::set<std::string> wanted;
  for (uint32_t i = 0; i < count; ++i) wanted.insert(BalancerName(i));
  for (const Balancer& b : balancers) {
    if (wanted.contains(HandoverName(b.name))) continue;
    if (!b.process_alive) {
      plan.actions.emplace_back(ForgetBalancer{b.name});
    } else if (IsRunning(b) && !ports.Need(b)) {
      plan.actions.emplace_back(StopBalancer{b.name});
    }
  }
  for (uint32_t i = 0; i < count; ++i) SlotPlanner(desired, i, balancers, ports, now, plan).Run();
}

}  // namespace gocomet::controlplane
