#include "tests/controlplane/simulation/mutants.h"

#include <algorithm>

namespace gocomet::controlplane {
namespace {

using Workers = std::span<const Worker>;
using Balancers = std::span<const Balancer>;

// Nobody waits for balancers.
Plan StopAtOnce(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  std::vector<Balancer> trusted(balancers.begin(), balancers.end());
  for (Balancer& b : trusted) {
    b.connected = b.reported_since_ack = true;
    b.acknowledged_version = ~uint64_t{0};
    b.endpoints.clear();
  }
  return MakePlan(desired, workers, trusted, now);
}

// Requests in flight are not waited for.
Plan IgnoreRequests(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  std::vector<Balancer> idle(balancers.begin(), balancers.end());
  for (Balancer& b : idle) b.endpoints.clear();
  return MakePlan(desired, workers, idle, now);
}

// A balancer that does not speak to us is taken for dead.
Plan ForgetTheSilent(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  std::vector<Balancer> heard(balancers.begin(), balancers.end());
  for (Balancer& b : heard) b.process_alive = b.process_alive && b.connected;
  Plan plan = MakePlan(desired, workers, heard, now);
  std::erase_if(plan.actions, [](const Action& action) {
    return std::holds_alternative<StartBalancer>(action) ||
           std::holds_alternative<ForgetBalancer>(action);
  });
  const Plan real = MakePlan(desired, workers, balancers, now);
  for (const Action& action : real.actions) {
    if (std::holds_alternative<StartBalancer>(action) ||
        std::holds_alternative<ForgetBalancer>(action)) {
      plan.actions.push_back(action);
    }
  }
  return plan;
}

Plan SurgeMore(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  Desired more = desired;
  for (ServiceDesire& desire : more.services) ++desire.spec.rollout.max_surge;
  return MakePlan(more, workers, balancers, now);
}

Plan SpareNobody(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  Desired fewer = desired;
  for (ServiceDesire& desire : fewer.services) ++desire.spec.rollout.max_unavailable;
  return MakePlan(fewer, workers, balancers, now);
}

// Calls that are under way are not seen.
Plan ForgetCalls(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  std::vector<Worker> idle(workers.begin(), workers.end());
  for (Worker& w : idle) w.operation = Operation::kNone;
  return MakePlan(desired, idle, balancers, now);
}

// A dead worker's successor does not wait until its remains are gone.
Plan LeaveRemains(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  std::vector<Worker> clean(workers.begin(), workers.end());
  for (Worker& w : clean) {
    if (w.state == WorkerState::kBackOff) w.handle.clear();
  }
  return MakePlan(desired, clean, balancers, now);
}

Plan RemoveNothing(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  Plan plan = MakePlan(desired, workers, balancers, now);
  std::erase_if(plan.actions,
                [](const Action& a) { return std::holds_alternative<RemoveWorker>(a); });
  return plan;
}

// One worker is never replaced.
Plan KeepTheFirst(const Desired& desired, Workers workers, Balancers balancers, SteadyTime now) {
  Plan plan = MakePlan(desired, workers, balancers, now);
  std::erase_if(plan.actions, [&](const Action& action) {
    const auto* drain = std::get_if<DrainWorker>(&action);
    return drain != nullptr && std::any_of(workers.begin(), workers.end(), [&](const Worker& w) {
             return w.instance == drain->instance && w.ordinal == 0;
           });
  });
  return plan;
}

}  // namespace

const std::vector<Mutant>& Mutants() {
  static const std::vector<Mutant> mutants = {
      {.name = "stops-at-once", .plan = StopAtOnce, .breach = "while a balancer may send to it"},
      {.name = "ignores-requests", .plan = IgnoreRequests, .breach = "while a balancer may send"},
      {.name = "forgets-the-silent",
       .plan = ForgetTheSilent,
       .breach = "while a balancer may send"},
      {.name = "surges-more", .plan = SurgeMore, .breach = "and a surge of"},
      {.name = "spares-nobody", .plan = SpareNobody, .breach = "serve after"},
      {.name = "forgets-calls", .plan = ForgetCalls, .breach = "while a call is under way"},
      {.name = "leaves-remains", .plan = LeaveRemains, .breach = "before the port is free"},
      {.name = "removes-nothing", .plan = RemoveNothing, .breach = "has not converged"},
      {.name = "keeps-the-first", .plan = KeepTheFirst, .breach = "has not converged"},
      {.name = "loses-rollouts",
       .forgets_rollouts = true,
       .breach = "was acknowledged and is lost"},
      {.name = "ignores-draining",
       .ignores_draining = true,
       .breach = "while a balancer may send to it"},
  };
  return mutants;
}

}  // namespace gocomet::controlplane
