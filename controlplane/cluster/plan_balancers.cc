// The part of the plan that is about balancers.
//
// A balancer that is to run with other threads, or as another program, is replaced by a twin: a
// second process with a name and a state directory of its own, which takes over the listening
// sockets. So no connection is refused. Once the twin serves, the first one goes.
#include <algorithm>

#include "common/base/text.h"
#include "controlplane/cluster/plan_parts.h"

namespace gocomet::controlplane {
namespace {

constexpr char kTwinSuffix = 'b';

// The balancers of one address, of which there is one but for a hand-over.
class SlotPlanner {
 public:
  SlotPlanner(const Desired& desired, uint32_t index, std::span<const Balancer> balancers,
              SteadyTime now, Plan& plan)
      : desired_(desired),
        name_(BalancerName(index)),
        address_(BalancerAddress(desired.balancers, index)),
        now_(now),
        plan_(plan) {
    for (const Balancer& b : balancers) {
      if (HandoverName(b.name) == name_) members_.push_back(&b);
    }
  }

  void Run() {
    if (const Balancer* fit = FindRunning([this](const Balancer& b) { return IsFit(b); })) {
      return ClearFor(*fit);
    }
    if (const Balancer* before =
            FindRunning([this](const Balancer& b) { return b.address == address_; })) {
      return StartTwinOf(*before);
    }
    // Elsewhere, or on its way out: the name is free once it is gone.
    const bool any_alive = std::any_of(members_.begin(), members_.end(),
                                       [](const Balancer* b) { return b->process_alive; });
    if (any_alive) return StopAll();
    Restart();
  }

 private:
  bool IsFit(const Balancer& b) const { return RunsAsWanted(b, desired_, address_); }

  template <typename Condition>
  const Balancer* FindRunning(Condition condition) const {
    for (const Balancer* b : members_) {
      if (b->process_alive && b->state != BalancerState::kDraining && condition(*b)) return b;
    }
    return nullptr;
  }

  // The others go once `fit` serves; those elsewhere, and those that do not run, at once.
  void ClearFor(const Balancer& fit) {
    for (const Balancer* b : members_) {
      if (b == &fit) continue;
      if (!b->process_alive) {
        plan_.actions.emplace_back(ForgetBalancer{b->name});
      } else if (b->state != BalancerState::kDraining &&
                 (fit.state == BalancerState::kReady || b->address != address_)) {
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

  void StopAll() {
    for (const Balancer* b : members_) {
      if (!b->process_alive) {
        plan_.actions.emplace_back(ForgetBalancer{b->name});
      } else if (b->state != BalancerState::kDraining) {
        plan_.actions.emplace_back(StopBalancer{b->name});
      }
    }
  }

  // Nothing runs: starts the one that ended, or the first.
  void Restart() {
    const Balancer* kept = nullptr;
    for (const Balancer* b : members_) {
      if (kept == nullptr && IsFit(*b)) {
        kept = b;
      } else {
        plan_.actions.emplace_back(ForgetBalancer{b->name});
      }
    }
    if (kept == nullptr && members_.empty()) return Start(name_);
    if (kept != nullptr && IsDue(*kept)) Start(kept->name);
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

bool RunsAsWanted(const Balancer& balancer, const Desired& desired, const std::string& address) {
  return balancer.address == address && balancer.threads == desired.balancers.threads &&
         (balancer.program == desired.balancer_program || balancer.program.empty());
}

void PlanBalancers(const Desired& desired, std::span<const Balancer> balancers, SteadyTime now,
                   Plan& plan) {
  const uint32_t count = desired.stopping ? 0 : desired.balancers.count;
  std::set<std::string> wanted;
  for (uint32_t i = 0; i < count; ++i) wanted.insert(BalancerName(i));
  for (const Balancer& b : balancers) {
    if (wanted.contains(HandoverName(b.name))) continue;
    if (!b.process_alive) {
      plan.actions.emplace_back(ForgetBalancer{b.name});
    } else if (b.state != BalancerState::kDraining) {
      plan.actions.emplace_back(StopBalancer{b.name});
    }
  }
  for (uint32_t i = 0; i < count; ++i) SlotPlanner(desired, i, balancers, now, plan).Run();
}

}  // namespace gocomet::controlplane
