#include "controlplane/access/method_rules.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace gocomet::controlplane {
namespace {

constexpr Role kNobody = Role::kNobody;
constexpr Role kViewer = Role::kViewer;
constexpr Role kOperator = Role::kOperator;
constexpr Role kAdmin = Role::kAdmin;
constexpr bool kChanges = true;

// Whoever looks is a viewer. Whoever acts on what the config wants anyway is an operator, and so is
// one who asks what a config would do. Whoever changes what is wanted, or who may, is an admin;
// what on-call duty needs is the exception: scaling, and going back to what ran before.
constexpr MethodRule kRules[] = {
    {"/gocomet.v1.AccessService/WhoAmI", kNobody},
    {"/gocomet.v1.AccessService/CreateToken", kAdmin, kChanges},
    {"/gocomet.v1.AccessService/ListTokens", kAdmin},
    {"/gocomet.v1.AccessService/DeleteToken", kAdmin, kChanges},

    {"/gocomet.v1.BalancerService/GetBalancer", kViewer},
    {"/gocomet.v1.BalancerService/ListBalancers", kViewer},
    {"/gocomet.v1.BalancerService/WatchBalancers", kViewer},

    {"/gocomet.v1.ClusterService/GetStatus", kViewer},

    {"/gocomet.v1.ConfigService/ValidateConfig", kOperator},
    {"/gocomet.v1.ConfigService/PlanConfig", kOperator},
    {"/gocomet.v1.ConfigService/ApplyConfig", kAdmin, kChanges},
    // The text of a config may hold secrets, as values of `env`.
    {"/gocomet.v1.ConfigService/GetConfig", kOperator},
    {"/gocomet.v1.ConfigService/DiffRevisions", kViewer},
    {"/gocomet.v1.ConfigService/ListRevisions", kViewer},
    {"/gocomet.v1.ConfigService/RollbackConfig", kAdmin, kChanges},
    {"/gocomet.v1.ConfigService/WatchConfig", kViewer},

    {"/gocomet.v1.EventService/ListEvents", kViewer},
    {"/gocomet.v1.EventService/WatchEvents", kViewer},

    {"/gocomet.v1.RolloutService/GetRollout", kViewer},
    {"/gocomet.v1.RolloutService/ListRollouts", kViewer},
    {"/gocomet.v1.RolloutService/WatchRollouts", kViewer},
    {"/gocomet.v1.RolloutService/PauseRollout", kOperator, kChanges},
    {"/gocomet.v1.RolloutService/ResumeRollout", kOperator, kChanges},
    {"/gocomet.v1.RolloutService/AbortRollout", kOperator, kChanges},
    {"/gocomet.v1.RolloutService/UndoRollout", kOperator, kChanges},

    {"/gocomet.v1.ServiceService/GetService", kViewer},
    {"/gocomet.v1.ServiceService/ListServices", kViewer},
    {"/gocomet.v1.ServiceService/WatchServices", kViewer},
    {"/gocomet.v1.ServiceService/ScaleService", kOperator, kChanges},
    {"/gocomet.v1.ServiceService/RestartService", kOperator, kChanges},

    {"/gocomet.v1.StatisticsService/GetStatistics", kViewer},
    {"/gocomet.v1.StatisticsService/QueryStatistics", kViewer},
    {"/gocomet.v1.StatisticsService/WatchStatistics", kViewer},

    {"/gocomet.v1.WorkerService/GetWorker", kViewer},
    {"/gocomet.v1.WorkerService/ListWorkers", kViewer},
    {"/gocomet.v1.WorkerService/WatchWorkers", kViewer},
    {"/gocomet.v1.WorkerService/RestartWorker", kOperator, kChanges},
    {"/gocomet.v1.WorkerService/DrainWorker", kOperator, kChanges},
    {"/gocomet.v1.WorkerService/UndrainWorker", kOperator, kChanges},
    {"/gocomet.v1.WorkerService/StreamLogs", kViewer},

    // What there is to call, and whether it answers, is no secret.
    {"/grpc.health.v1.Health/Check", kNobody},
    {"/grpc.health.v1.Health/Watch", kNobody},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", kNobody},
};

}  // namespace

std::span<const MethodRule> MethodRules() { return kRules; }

const MethodRule& RuleOf(std::string_view method) {
  static const auto* by_method = [] {
    auto* rules = new std::unordered_map<std::string_view, const MethodRule*>();
    for (const MethodRule& rule : kRules) rules->emplace(rule.method, &rule);
    return rules;
  }();
  static const MethodRule unknown{"", Role::kAdmin, kChanges};
  const auto found = by_method->find(method);
  return found == by_method->end() ? unknown : *found->second;
}

}  // namespace gocomet::controlplane
