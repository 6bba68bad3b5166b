#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include "controlplane/cluster/cluster.h"
#include "tests/controlplane/simulation/simulated_balancers.h"
#include "tests/controlplane/simulation/simulated_machine.h"
#include "tests/controlplane/simulation/simulated_time.h"

namespace gocomet::controlplane {

// What must hold in every history, whatever goes wrong. The first breach ends it.
class Laws {
 public:
  Laws(Setting& setting, const SimulatedBalancers& balancers)
      : setting_(setting), balancers_(balancers) {}

  bool broken() const { return !breach_.empty(); }
  const std::string& breach() const { return breach_; }
  void Break(const std::string& what);

  // Each plan, before it is performed.
  void CheckPlan(const Desired& desired, std::span<const Worker> workers, const Plan& plan);
  // A call of the driver.
  void CheckStop(const SimulatedMachine::Process& process, bool remove);
  void CheckSecondCall(const std::string& what);
  // A worker's record has changed.
  void CheckWorker(const Worker& worker, const SimulatedMachine& machine);
  // A rollout was told of.
  void CheckRollout(const RolloutRecord& rollout);
  // A change was answered with OK: it must survive.
  void NoteDurable(const ConfigChangeResult& result);
  void NoteDurable(const RolloutRecord& rollout);
  // What a new control plane finds in the database.
  void CheckRecovery(const StoredState& rows);
  void ControlPlaneDied();
  // At the end.
  void CheckConverged(Cluster& cluster, const SimulatedMachine& machine);
  void CheckAllGone(const SimulatedMachine& machine);

 private:
  void CheckService(const ServiceDesire& desire, std::span<const Worker> workers, const Plan& plan);
  void CheckPorts(std::span<const Worker> workers, const Plan& plan);
  void CheckNothingTwice(std::span<const Worker> workers, const Plan& plan);

  Setting& setting_;
  const SimulatedBalancers& balancers_;
  std::string breach_;
  std::set<std::string> may_be_stopped_;  // Instances whose drain is overdue, or that have failed.
  std::map<std::string, WorkerState> states_;
  std::map<uint64_t, RolloutState> rollouts_;
  std::map<std::string, std::set<uint64_t>> active_;  // Rollouts by service.
  uint64_t durable_revision_ = 0;
  std::map<uint64_t, RolloutState> durable_rollouts_;
};

}  // namespace gocomet::controlplane
