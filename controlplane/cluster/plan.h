#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/clock.h"
#include "controlplane/model/config.h"
#include "controlplane/model/worker.h"

// Reconciling as a pure function: the difference between what is wanted and what is seen, as
// actions. It reads no clock and does nothing. Level-triggered: it may be called at any time, and a
// lost or doubled event changes nothing.
namespace gocomet::controlplane {

struct ServiceDesire {
  Service spec;
  std::string template_hash;                      // Workers with another one are outdated,
  std::vector<std::string> accepted_hashes = {};  // but for these.
  bool paused = false;                            // Nothing outdated is replaced.
  // What outdated workers run, where it is known.
  std::shared_ptr<const ServiceDesire> earlier = nullptr;
  SteadyTime next_liveness_restart{};  // No sooner.
};

struct Desired {
  std::vector<ServiceDesire> services;
  std::vector<Route> routes;
  BalancerPool balancers;
  std::string balancer_program;  // Content of the balancers' program.
  bool stopping = false;         // Nothing is wanted any more.
};

// A new worker on this ordinal. `successor_of`: the instance in back-off that it follows.
struct StartWorker {
  std::string service;
  uint32_t ordinal = 0;
  uint16_t port = 0;
  std::string successor_of;
  bool earlier = false;  // As outdated workers run.
};
// Out of rotation; it will be stopped once drained.
struct DrainWorker {
  std::string instance;
  std::string reason;
};
// To be replaced though it runs what is asked for.
struct ReplaceWorker {
  std::string instance;
  std::string reason;
};
// SIGTERM now: it is drained, or its drain deadline has passed (`overdue`), or nobody sends to it.
struct StopWorker {
  std::string instance;
  bool overdue = false;
};
// It did not become ready in time: stop it and count a crash.
struct FailWorker {
  std::string instance;
  std::string cause;
};
// Forget what the runtime still has of it.
struct RemoveWorker {
  std::string instance;
};
// Forget a record that nothing stands behind any more.
struct ForgetWorker {
  std::string instance;
};
struct StartBalancer {
  std::string name;
  std::string address;
  uint32_t threads = 1;
};
struct StopBalancer {
  std::string name;
};
struct ForgetBalancer {
  std::string name;
};

using Action =
    std::variant<StartWorker, DrainWorker, ReplaceWorker, StopWorker, FailWorker, RemoveWorker,
                 ForgetWorker, StartBalancer, StopBalancer, ForgetBalancer>;

// One line, for logs and failing tests.
std::string ToString(const Action& action);

struct Plan {
  std::vector<Action> actions;
  // When time alone will change the answer; none: not before something happens.
  std::optional<SteadyTime> wake;
};

Plan MakePlan(const Desired& desired, std::span<const Worker> workers,
              std::span<const Balancer> balancers, SteadyTime now);

// `balancer-0`, and `127.0.0.1:5050`. While one is replaced there are two of them: the other one is
// `balancer-0b`. They alternate: whichever serves keeps its name.
std::string BalancerName(uint32_t index);
// `balancer-0` of both: their place in the pool.
std::string HandoverName(const std::string& name);
// The other one of the two.
std::string TwinName(const std::string& name);
std::string BalancerAddress(const BalancerPool& pool, uint32_t index);
// `5050` of `127.0.0.1:5050`. Balancers of one port hand over to each other, whatever their names.
std::string_view PortOf(std::string_view address);

bool RunsAsWanted(const Balancer& balancer, const Desired& desired, const std::string& address);

// Whether it runs what is asked for now.
bool IsUpToDate(const Worker& worker, const ServiceDesire& desire);

}  // namespace gocomet::controlplane
