#include <set>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/validate_config.h"

namespace gocomet::controlplane {
namespace {

class ServiceValidation {
 public:
  ServiceValidation(const Service& service, const Config& config, const Places& places,
                    ConfigFindings& findings)
      : service_(service),
        config_(config),
        path_(Cat("services.", service.name)),
        places_(places),
        findings_(findings) {}

  void Run() {
    SaysWhatItRuns();
    const std::string why_not = WhyNotRunBy(config_.runtime, service_);
    if (!why_not.empty()) {
      const std::string key = service_.workload.image.empty() ? "command" : "image";
      Fault({Cat(path_, ".", key), "runtime"}, why_not);
    }
    CanBeReplaced();
    NamesNothingTwice("endpoints", service_.workload.endpoints);
    NamesNothingTwice("capabilities", service_.workload.capabilities);
    std::vector<std::string> targets;
    for (const Volume& volume : service_.workload.volumes) targets.push_back(volume.target);
    NamesNothingTwice("volumes", targets);
  }

 private:
  // The demo worker is no default for a service that forgot its image.
  void SaysWhatItRuns() {
    const bool said = !service_.workload.is_demo() || service_.name == kFlatService ||
                      places_.contains(Cat(path_, ".demo"));
    if (said) return;
    Fault({path_, Cat(path_, ".image"), Cat(path_, ".command"), Cat(path_, ".endpoints"),
           Cat(path_, ".demo")},
          "does not say what it runs; expected one of image, command, endpoints or demo below it");
  }

  void CanBeReplaced() {
    const Rollout& rollout = service_.rollout;
    const std::string below = Cat(path_, ".rollout.");
    if (rollout.max_surge == 0 && rollout.max_unavailable == 0) {
      Fault({Cat(below, "max-surge"), Cat(below, "max-unavailable")},
            "is 0, as max-unavailable is: no worker could ever be replaced; expected 1 or more for "
            "one of them");
    }
    if (rollout.min_ready > rollout.progress_deadline) {
      Fault({Cat(below, "min-ready"), Cat(below, "progress-deadline")},
            Cat("is ", FormatDuration(rollout.min_ready), ", longer than progress-deadline, ",
                FormatDuration(rollout.progress_deadline), ": every rollout would fail"));
    }
  }

  void NamesNothingTwice(const std::string& key, const std::vector<std::string>& names) {
    std::set<std::string> seen;
    for (size_t i = 0; i < names.size(); ++i) {
      if (seen.insert(names[i]).second) continue;
      Fault({Cat(path_, ".", key, "[", i, "]"), Cat(path_, ".", key)},
            Cat("has ", names[i], " twice; remove one of them"));
    }
  }

  void Fault(std::vector<std::string> keys, std::string message) {
    findings_.faults.push_back({std::move(keys), std::move(message)});
  }

  const Service& service_;
  const Config& config_;
  const std::string path_;
  const Places& places_;
  ConfigFindings& findings_;
};

}  // namespace

std::string WhyNotRunBy(RuntimeKind runtime, const Service& service) {
  const Workload& workload = service.workload;
  const bool has_program = !workload.image.empty() || !workload.command.empty();
  if (!has_program || runtime == RuntimeKind::kAuto) return "";
  if (runtime == RuntimeKind::kExternal) {
    return Cat(
        "the runtime is external, which starts nothing; expected `endpoints` for the service ",
        service.name, ", or another `runtime`");
  }
  if (!workload.image.empty() && runtime != RuntimeKind::kDocker) {
    return Cat("an image needs the runtime docker, and the runtime is ", ToString(runtime),
               "; expected `command` for the service ", service.name, ", or `runtime: docker`");
  }
  if (workload.image.empty() && runtime != RuntimeKind::kProcess) {
    return Cat("a command without an image needs the runtime process, and the runtime is ",
               ToString(runtime), "; expected `image` for the service ", service.name,
               ", or `runtime: process`");
  }
  return "";
}

void ValidateServices(const Config& config, const Places& places, ConfigFindings& findings) {
  if (config.services.empty()) {
    findings.faults.push_back(
        {{"services"}, "has no service; expected at least one below it, or no `services:` at all"});
  }
  for (const Service& service : config.services) {
    ServiceValidation(service, config, places, findings).Run();
  }
}

}  // namespace gocomet::controlplane
