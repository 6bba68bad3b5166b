#include "controlplane/config/canonical_config.h"

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "controlplane/config/config_keys.h"

namespace gocomet::controlplane {
namespace {

// The flat keys describe the first service; fields of others carry their service's name.
void AppendKeys(std::vector<CanonicalField>& fields, const Config& config, bool of_service,
                bool of_config, const std::string& prefix) {
  const ConfigFile file{config, {}};
  for (const ConfigKey& key : ConfigKeys()) {
    const bool wanted = (of_service && key.part == ConfigKey::Part::kService) ||
                        (of_config && key.part == ConfigKey::Part::kConfig);
    if (wanted) fields.push_back({prefix + key.path, key.write(file)});
  }
}

// What has no key in config.yaml.
void AppendDetails(std::vector<CanonicalField>& fields, const Service& service,
                   const std::string& prefix) {
  const HealthCheck& health = service.health;
  const Rollout& rollout = service.rollout;
  for (CanonicalField& field :
       std::vector<CanonicalField>{{"name", service.name},
                                   {"health.path", health.path},
                                   {"health.interval", FormatDuration(health.interval)},
                                   {"health.timeout", FormatDuration(health.timeout)},
                                   {"health.healthy-threshold", Cat(health.healthy_threshold)},
                                   {"health.unhealthy-threshold", Cat(health.unhealthy_threshold)},
                                   {"health.start-deadline", FormatDuration(health.start_deadline)},
                                   {"rollout.max-surge", Cat(rollout.max_surge)},
                                   {"rollout.max-unavailable", Cat(rollout.max_unavailable)},
                                   {"rollout.min-ready", FormatDuration(rollout.min_ready)},
                                   {"drain-timeout", FormatDuration(service.drain_timeout)},
                                   {"stop-grace", FormatDuration(service.stop_grace)}}) {
    fields.push_back({prefix + field.name, field.value});
  }
}

}  // namespace

std::vector<CanonicalField> CanonicalFields(const Config& config) {
  std::vector<CanonicalField> fields;
  AppendKeys(fields, config, !config.services.empty(), true, "");
  for (size_t i = 0; i < config.services.size(); ++i) {
    const Service& service = config.services[i];
    const std::string prefix = i == 0 ? "" : Cat("services.", service.name, ".");
    if (i > 0) {
      Config alone;
      alone.services = {service};
      AppendKeys(fields, alone, true, false, prefix);
    }
    AppendDetails(fields, service, prefix);
  }
  return fields;
}

}  // namespace gocomet::controlplane
