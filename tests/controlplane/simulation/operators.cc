#include "tests/controlplane/simulation/operators.h"

#include <utility>

#include "common/base/text.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kBadVariable[] = "BAD";
constexpr char kVersionVariable[] = "VERSION";

Service NewService(Dice& dice, const std::string& name, uint16_t port_base) {
  Service service;
  service.name = name;
  service.replicas = dice.Pick(1, 4);
  service.host_port_base = port_base;
  service.workload.command = {"/usr/bin/serve"};
  service.workload.environment = {{kVersionVariable, "0"}};
  service.health.start_deadline = seconds(8);
  service.rollout.progress_deadline = seconds(15);
  service.drain_timeout = seconds(dice.Pick(3, 15));
  return service;
}

void SetLimits(Dice& dice, Service& service) {
  Rollout& rollout = service.rollout;
  rollout.max_surge = dice.Pick(0, 2);
  rollout.max_unavailable = dice.Pick(rollout.max_surge == 0 ? 1 : 0, 2);
  rollout.min_ready = seconds(dice.Pick(0, 3));
  rollout.on_failure = dice.Chance(30) ? OnFailure::kPause : OnFailure::kRollback;
  service.liveness.restart_after = seconds(dice.Chance(50) ? 10 : 0);
}

// With more than one service somebody must say who gets what.
void SetRoutes(Config& config) {
  config.routes.clear();
  if (config.services.size() < 2) return;
  for (const Service& service : config.services) {
    Route& route = config.routes.emplace_back();
    route.name = service.name;
    route.path_prefix = "/" + service.name;
    route.targets = {{service.name, 1}};
  }
}

void NewVersion(Service& service, uint64_t version) {
  service.workload.environment[kVersionVariable] = Cat(version);
  service.workload.environment.erase(kBadVariable);
}

void ChangeConfig(Dice& dice, Config& config, uint64_t version) {
  Service& service =
      config.services[dice.Pick(0, static_cast<uint32_t>(config.services.size() - 1))];
  switch (dice.Pick(1, 8)) {
    case 1:
    case 2:
    case 3:
      NewVersion(service, version);
      if (dice.Chance(30)) service.workload.environment[kBadVariable] = "1";
      break;
    case 4:
      service.replicas = dice.Pick(0, 5);
      break;
    case 5:
      SetLimits(dice, service);
      break;
    case 6:
      if (config.services.size() > 1) {
        config.services.pop_back();
      } else {
        const bool has_web = config.services.front().name == "web";
        config.services.push_back(has_web ? NewService(dice, "api", 7000)
                                          : NewService(dice, "web", 6000));
      }
      SetRoutes(config);
      break;
    case 7:
      service.host_port_base =
          static_cast<uint16_t>(service.host_port_base % 1000 == 0 ? service.host_port_base + 100
                                                                   : service.host_port_base - 100);
      break;
    default:
      config.balancers.count = dice.Pick(1, 3);
      config.balancers.threads = dice.Pick(1, 2);
      if (dice.Chance(20)) config.balancers.port_base = dice.Chance(50) ? 5050 : 5150;
      break;
  }
}

void Apply(Cluster& cluster, Setting& setting, Laws& laws, Config config, uint64_t base) {
  ConfigChange change;
  change.config_yaml = RenderConfig({config, {}});
  change.config = std::move(config);
  change.base_revision = base;
  change.author = "somebody";
  change.source = "apply";
  cluster.desired_state().Change(
      std::move(change), [&setting, &laws](const absl::StatusOr<ConfigChangeResult>& result) {
        setting.story.Tell([&] {
          return result.ok() ? Cat("revision ", result->revision.number, " is applied")
                             : Cat("refused: ", MessageOf(result.status()));
        });
        if (result.ok()) laws.NoteDurable(*result);
      });
}

std::string AnyWorker(Dice& dice, std::span<const Worker> workers) {
  if (workers.empty()) return "nobody";
  return workers[dice.Pick(0, static_cast<uint32_t>(workers.size() - 1))].name();
}

void AskAboutRollouts(Cluster& cluster, Setting& setting, Laws& laws) {
  const Asked asked{"somebody", "it is time"};
  const auto done = [&setting, &laws](const absl::StatusOr<RolloutRecord>& result) {
    if (result.ok()) laws.NoteDurable(*result);
    setting.story.Tell([&] {
      return result.ok() ? Cat("rollout ", result->id, " is ", ToString(result->state))
                         : Cat("refused: ", MessageOf(result.status()));
    });
  };
  const std::string service = cluster.desired_state().config().services.front().name;
  const uint32_t verb = setting.dice.Pick(1, 6);
  setting.story.Tell([&] {
    constexpr const char* kVerbs[] = {"restart", "restart", "pause", "resume", "abort", "undo"};
    return Cat("somebody asks: ", kVerbs[verb - 1], " ", service);
  });
  if (verb <= 2) return cluster.RestartService(service, asked, done);
  if (verb == 3) return cluster.ChangeRollout(&Rollouts::Pause, service, asked, done);
  if (verb == 4) return cluster.ChangeRollout(&Rollouts::Resume, service, asked, done);
  if (verb == 5) return cluster.ChangeRollout(&Rollouts::Abort, service, asked, done);
  cluster.ChangeRollout(&Rollouts::Undo, service, asked, done);
}

void AskNow(Cluster& cluster, Setting& setting, Laws& laws) {
  Dice& dice = setting.dice;
  const uint32_t what = dice.Pick(1, 100);
  if (what <= 50) {
    Config config = cluster.desired_state().config();
    const uint64_t base = cluster.desired_state().newest().number;
    ChangeConfig(dice, config, base + 1);
    setting.story.Tell([&] { return Cat("somebody changes revision ", base); });
    return Apply(cluster, setting, laws, std::move(config), dice.Chance(80) ? base : 0);
  }
  if (what <= 75) return AskAboutRollouts(cluster, setting, laws);
  const std::string name = AnyWorker(dice, cluster.workers().workers());
  if (what <= 83) {
    setting.story.Tell([&] { return Cat("somebody restarts ", name); });
    cluster.RestartWorker(name).IgnoreError();
  } else if (what <= 90) {
    setting.story.Tell([&] { return Cat("somebody drains ", name); });
    cluster.Drain(name).IgnoreError();
  } else {
    setting.story.Tell([&] { return Cat("somebody undrains ", name); });
    cluster.Undrain(name).IgnoreError();
  }
}

}  // namespace

Config FirstConfig(Dice& dice) {
  Config config;
  config.runtime = RuntimeKind::kProcess;
  config.services = {NewService(dice, "web", 6000)};
  SetLimits(dice, config.services[0]);
  config.balancers.count = dice.Pick(1, 2);
  return config;
}

bool IsBad(const Config& config) {
  for (const Service& service : config.services) {
    if (service.workload.environment.contains(kBadVariable)) return true;
  }
  return false;
}

void Ask(Cluster& cluster, Setting& setting, Laws& laws) {
  cluster.mailbox().Post([&] { AskNow(cluster, setting, laws); });
}

void AskForCalm(Cluster& cluster, Setting& setting, Laws& laws) {
  cluster.mailbox().Post([&] {
    Config config = cluster.desired_state().config();
    const uint64_t version = cluster.desired_state().newest().number + 1;
    for (Service& service : config.services) {
      NewVersion(service, version);
      service.rollout.on_failure = OnFailure::kRollback;
    }
    Apply(cluster, setting, laws, std::move(config), 0);
    std::vector<std::string> held;
    for (const Worker& worker : cluster.workers().workers()) {
      if (worker.held) held.push_back(worker.name());
    }
    for (const std::string& name : held) cluster.Undrain(name).IgnoreError();
  });
}

}  // namespace gocomet::controlplane
