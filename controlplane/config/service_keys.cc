// The keys of one service.
#include <algorithm>
#include <chrono>

#include "controlplane/config/config_keys.h"
#include "controlplane/config/value_rules.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr size_t kWordsMax = 1000;
constexpr size_t kEnvironmentMax = 1000;
constexpr size_t kEnvironmentBytesMax = 128 * 1024;  // What Linux takes: MAX_ARG_STRLEN.
constexpr size_t kVolumesMax = 100;
constexpr uint64_t kMemoryMin = 6ull << 20;  // Docker's own.
constexpr uint32_t kPidsMax = 4'194'304;     // The kernel's PID_MAX_LIMIT.
constexpr uint32_t kThresholdMax = 100;

// Limits what a key means to services that are what `of` says.
void AppliesTo(ConfigKey& key, bool (*of)(const Workload&), std::string applies_to) {
  key.applies = [of](const void* owner) {
    return of(static_cast<const Service*>(owner)->workload);
  };
  key.applies_to = std::move(applies_to);
}

bool HasImage(const Workload& workload) { return !workload.image.empty(); }
bool HasProgram(const Workload& workload) {
  return HasImage(workload) || !workload.command.empty();
}
bool RunsHere(const Workload& workload) { return workload.endpoints.empty(); }
bool IsDemo(const Workload& workload) { return workload.is_demo(); }

void AppliesToImages(ConfigKey& key) { AppliesTo(key, HasImage, "a service with an `image`"); }
void AppliesToPrograms(ConfigKey& key) {
  AppliesTo(key, HasProgram, "a service with an `image` or a `command`");
}
void AppliesToOwnWorkers(ConfigKey& key) {
  AppliesTo(key, RunsHere, "a service that GoComet runs, without `endpoints`");
}

KeysOf<DemoWorker> DemoKeys() {
  KeysOf<DemoWorker> keys;
  keys.Duration(
          "average-delay", milliseconds(0), kAverageDelayMax, "",
          [](auto& d) -> auto& { return d.average_delay; },
          "Each request waits a uniform time between half and one and a half of this.")
      .flat = "avg-delay";
  keys.Number(
          "failure", 0, 100, "percent", [](auto& d) -> auto& { return d.failure_percent; },
          "Percentage of requests answered 500 at once.")
      .flat = "failure";
  return keys;
}

ConfigKey::Entries EnvironmentEntries() {
  KeysOf<std::string> value;
  value
      .Read(
          "", "a value, in quotes where it is empty", {.kind = ScalarShape::Kind::kAnything},
          [](const YamlNode& scalar, std::string& text) {
            if (!IsWritten(scalar) || scalar.text.size() > kEnvironmentBytesMax) return false;
            text = scalar.text;
            return true;
          },
          [](const std::string& text) { return YamlText(text); }, "")
      .is_hidden = true;
  ConfigKey::Entries entries;
  entries.named = true;
  entries.max = kEnvironmentMax;
  entries.name_expected = "a name in letters, digits and `_`, which does not begin with a digit";
  entries.name_pattern = "^[A-Za-z_][A-Za-z0-9_.-]*$";
  entries.accepts_name = IsEnvironmentName;
  entries.each = [](const void* owner, const auto& visit) {
    const auto& service = *static_cast<const Service*>(owner);
    for (const auto& [name, text] : service.workload.environment) visit(name, &text);
  };
  entries.add = [](void* owner, const std::string& name) -> void* {
    return &static_cast<Service*>(owner)->workload.environment[name];
  };
  entries.blank = [](const std::string&) { return std::make_shared<std::string>(); };
  entries.entry = std::make_shared<const ConfigKey>(std::move(value).TakeOnly());
  return entries;
}

// `SOURCE:TARGET[:ro]`, or the same as a mapping.
ConfigKey VolumeEntry() {
  KeysOf<Volume> keys;
  keys.Text(
          "source", "a path on the host", IsPath, [](auto& v) -> auto& { return v.source; },
          "A file or directory of the host; relative to the config file's directory.")
      .is_required = true;
  keys.Text(
          "target", "an absolute path in the container", IsAbsolutePath,
          [](auto& v) -> auto& { return v.target; }, "Where the container sees it.")
      .is_required = true;
  keys.Switch(
      "read-only", [](auto& v) -> auto& { return v.read_only; }, "The container cannot change it.");
  KeysOf<Volume> entry;
  entry.Read(
      "", "`SOURCE:TARGET`, with `:ro` where it is read only, such as ./data:/data:ro",
      {.pattern = "^[^:]+:/[^:]*(:ro|:rw)?$"},
      [](const YamlNode& scalar, Volume& volume) {
        const auto parsed = IsText(scalar) ? ParseVolume(scalar.text) : std::nullopt;
        if (parsed) volume = *parsed;
        return parsed.has_value();
      },
      [](const Volume& volume) {
        const std::string text = FormatVolume(volume);
        return text.empty() ? text : YamlText(text);
      },
      "");
  entry.Last().group =
      ConfigKey::Group{std::move(keys).Take(), [](void* volume) { return volume; }};
  return std::move(entry).TakeOnly();
}

KeysOf<Resources> ResourceKeys() {
  KeysOf<Resources> keys;
  keys.Read(
      "memory", "a size from 6MiB, such as 512MiB or 1GB, or 0 for no limit",
      {.pattern = "^[1-9][0-9]*([KMGT]i?B|B)$", .or_zero = true},
      [](const YamlNode& scalar, Resources& resources) {
        const auto bytes = IsWritten(scalar) ? ParseMemory(scalar.text) : std::nullopt;
        if (!bytes || (*bytes != 0 && *bytes < kMemoryMin)) return false;
        resources.memory_bytes = *bytes;
        return true;
      },
      [](const Resources& resources) { return FormatMemory(resources.memory_bytes); },
      "How much memory one worker may use; one that needs more is ended. 0: no limit.");
  keys.Read(
      "cpus", "a number of cores such as 0.5 or 2, from 0.01, or 0 for no limit",
      {.kind = ScalarShape::Kind::kNumber, .max = 1000},
      [](const YamlNode& scalar, Resources& resources) {
        const auto millicpus =
            scalar.kind == YamlNode::Kind::kPlain ? ParseMillicpus(scalar.text) : std::nullopt;
        if (!millicpus || (*millicpus != 0 && *millicpus < 10)) return false;
        resources.millicpus = *millicpus;
        return true;
      },
      [](const Resources& resources) { return FormatMillicpus(resources.millicpus); },
      "How many cores one worker may use. 0: no limit.");
  keys.Number(
      "pids", 0, kPidsMax, "", [](auto& r) -> auto& { return r.pids; },
      "How many processes and threads one worker may have. 0: no limit.");
  return keys;
}

KeysOf<HealthCheck> HealthKeys() {
  KeysOf<HealthCheck> keys;
  keys.Read(
      "path", "a path such as /healthz, or \"\" to probe by connecting only", {},
      [](const YamlNode& scalar, HealthCheck& health) {
        const bool is_empty = scalar.kind == YamlNode::Kind::kQuoted && scalar.text.empty();
        if (!is_empty && (!IsText(scalar) || !IsRequestPath(scalar.text))) return false;
        health.path = scalar.text;
        return true;
      },
      [](const HealthCheck& health) { return YamlText(health.path); },
      "What is asked for. Empty: a worker that accepts a connection is healthy.");
  keys.Read(
      "method", "GET or HEAD", {.choices = {"GET", "HEAD"}},
      [](const YamlNode& scalar, HealthCheck& health) {
        if (scalar.text != "GET" && scalar.text != "HEAD") return false;
        health.method = scalar.text;
        return true;
      },
      [](const HealthCheck& health) { return health.method; }, "How it is asked for.");
  keys.Read(
      "expected", "statuses from 100 to 599 such as 200, or 200-399, 404",
      {.kind = ScalarShape::Kind::kAnything},
      [](const YamlNode& scalar, HealthCheck& health) {
        auto statuses = IsWritten(scalar) ? ParseStatuses(scalar.text) : std::nullopt;
        if (!statuses) return false;
        health.expected = *std::move(statuses);
        return true;
      },
      [](const HealthCheck& health) { return YamlText(FormatStatuses(health.expected)); },
      "Statuses that pass.");
  for (ConfigKey& key : keys.all()) {
    if (key.name == "path") continue;
    key.applies = [](const void* owner) {
      return !static_cast<const HealthCheck*>(owner)->path.empty();
    };
    key.applies_to = "a probe with a `path`";
  }
  keys.Duration(
      "interval", milliseconds(100), hours(1), "", [](auto& h) -> auto& { return h.interval; },
      "From one probe to the next.");
  keys.Duration(
      "timeout", milliseconds(10), minutes(10), "", [](auto& h) -> auto& { return h.timeout; },
      "A probe that takes longer has failed.");
  keys.Number(
      "healthy-threshold", 1, kThresholdMax, "",
      [](auto& h) -> auto& { return h.healthy_threshold; },
      "Probes in a row that pass before a worker takes requests again.");
  keys.Number(
      "unhealthy-threshold", 1, kThresholdMax, "",
      [](auto& h) -> auto& { return h.unhealthy_threshold; },
      "Probes in a row that fail before a worker takes no more requests.");
  keys.Duration(
      "start-deadline", milliseconds(100), hours(24), "",
      [](auto& h) -> auto& { return h.start_deadline; },
      "A new worker that has not passed a probe by then has failed to start.");
  return keys;
}

KeysOf<Liveness> LivenessKeys() {
  KeysOf<Liveness> keys;
  keys.Duration(
      "restart-after", seconds(1), hours(24), "never",
      [](auto& l) -> auto& { return l.restart_after; },
      "A worker that has been unhealthy for this long is replaced, never the last one that "
      "serves. 0: never.");
  return keys;
}

KeysOf<Rollout> RolloutKeys() {
  KeysOf<Rollout> keys;
  keys.Number(
      "max-surge", 0, kWorkersMax, "workers", [](auto& r) -> auto& { return r.max_surge; },
      "Workers above `replicas` that may exist while old ones are replaced.");
  keys.Number(
      "max-unavailable", 0, kWorkersMax, "workers",
      [](auto& r) -> auto& { return r.max_unavailable; },
      "Workers below `replicas` that may be missing meanwhile.");
  keys.Duration(
      "min-ready", milliseconds(0), hours(24), "", [](auto& r) -> auto& { return r.min_ready; },
      "A new worker counts once it has been ready for this long.");
  keys.Duration(
      "progress-deadline", seconds(1), hours(24), "",
      [](auto& r) -> auto& { return r.progress_deadline; },
      "A rollout that has made no worker ready for this long has failed.");
  keys.Choice<>(
      "on-failure", std::vector{OnFailure::kRollback, OnFailure::kPause},
      [](auto& r) -> auto& { return r.on_failure; },
      "What follows then: `rollback` goes back to what ran before, `pause` stops and waits for an "
      "operator.");
  return keys;
}

KeysOf<Service> StopKeys() {
  KeysOf<Service> keys;
  AppliesToPrograms(keys.Text(
      "signal", "SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 or SIGWINCH", IsStopSignal,
      [](auto& s) -> auto& { return s.workload.stop_signal; }, "Asks a worker to end."));
  keys.Last().scalar->shape.choices = {"SIGTERM", "SIGINT",  "SIGQUIT", "SIGHUP",
                                       "SIGUSR1", "SIGUSR2", "SIGWINCH"};
  AppliesToOwnWorkers(keys.Duration(
      "grace", milliseconds(0), hours(1), "", [](auto& s) -> auto& { return s.stop_grace; },
      "How long a worker may take to exit after the signal before it is killed."));
  keys.Duration(
      "drain-timeout", milliseconds(0), hours(24), "",
      [](auto& s) -> auto& { return s.drain_timeout; },
      "How long a worker may take to finish the requests that it has before the signal.");
  return keys;
}

void AddWhatRuns(KeysOf<Service>& keys) {
  AppliesToOwnWorkers(keys.Read(
      "image", "an image such as nginx:1.27 or registry.example.com/team/web:v1", {},
      [](const YamlNode& scalar, Service& service) {
        const bool fits = IsText(scalar) && IsImage(scalar.text);
        if (fits) service.workload.image = scalar.text;
        return fits;
      },
      [](const Service& service) {
        return service.workload.image.empty() ? "" : YamlText(service.workload.image);
      },
      "What a container of each worker runs. Needs the runtime `docker`."));
  AppliesToOwnWorkers(keys.Texts(
      "command", "a list of a program and its arguments such as [./server, --port, \"8080\"]",
      kWordsMax, "a text, in quotes where it looks like a number",
      [](const std::string& text) { return text.size() <= kEnvironmentBytesMax; },
      [](auto& s) -> auto& { return s.workload.command; },
      "A program and its arguments. Alone: what a process of each worker runs, with the runtime "
      "`process`. With `image`: in place of the image's own."));
  keys.Last().synonyms = {"entrypoint", "cmd", "args", "exec"};
  keys.Texts(
      "endpoints", "a list of addresses such as [192.0.2.7:8080, \"unix:/run/web.sock\"]",
      kWorkersMax, "IP:PORT or unix:/PATH", IsEndpoint,
      [](auto& s) -> auto& { return s.workload.endpoints; },
      "Workers that somebody else runs, by address: GoComet checks their health and sends them "
      "requests, but starts and stops nothing.");
  keys.Last().synonyms = {"servers", "upstreams", "targets", "addresses", "backends"};
  AppliesTo(keys.Group(
                "demo", DemoKeys(), [](auto& s) -> auto& { return s.demo; },
                "Runs the demo worker that GoComet ships, with these dials."),
            IsDemo, "the demo worker, without `image`, `command` and `endpoints`");
  keys.Last().is_main = true;
}

void AddWhere(KeysOf<Service>& keys) {
  AppliesToOwnWorkers(keys.Number(
      "replicas", 0, kWorkersMax, "", [](auto& s) -> auto& { return s.replicas; },
      "Copies: workers that run at the same time."));
  keys.Last().flat = "worker";
  keys.Last().is_main = true;
  keys.Last().synonyms = {"scale", "count", "instances", "copies"};
  AppliesToImages(keys.Number(
      "container-port", 1, 65535, "", [](auto& s) -> auto& { return s.workload.container_port; },
      "Where the program in the image listens."));
  keys.Last().synonyms = {"target-port", "app-port", "expose"};
  AppliesToOwnWorkers(keys.Number(
      "port", 1, 65535, "", [](auto& s) -> auto& { return s.host_port_base; },
      "Worker i listens on this + i, on this host."));
  keys.Last().flat = "worker-port";
  keys.Last().synonyms = {"ports", "host-port"};
  AppliesToOwnWorkers(keys.Text(
      "bind", "an IP address such as 127.0.0.1 or \"::1\"", IsIp,
      [](auto& s) -> auto& { return s.bind_address; }, "Where these ports are published."));
  keys.Last().flat = "worker-bind";
}

void AddSurroundings(KeysOf<Service>& keys) {
  AppliesToPrograms(keys.EntriesOf(
      "environment", "names and values such as `LOG_LEVEL: info`", EnvironmentEntries(),
      "Environment variables. Values may be secrets: only the config's own text shows them."));
  keys.Last().synonyms = {"env", "environment-variables", "envs"};
  AppliesToPrograms(keys.Texts(
      "environment-files", "a list of paths such as [web.env]", kVolumesMax, "the path of a file",
      IsFilePath, [](auto& s) -> auto& { return s.workload.environment_files; },
      "Files of `NAME=VALUE` lines, read at each start of a worker; `environment` goes before "
      "them."));
  keys.Last().synonyms = {"env-file", "env_file", "env-files", "environment-file"};
  AppliesToImages(keys.List<Volume>(
      "volumes", "a list such as [\"./data:/data:ro\"]", kVolumesMax, VolumeEntry(),
      [](auto& s) -> auto& { return s.workload.volumes; },
      "Files and directories of the host that the container sees."));
  keys.Last().synonyms = {"mounts"};
  AppliesTo(keys.Group(
                "resources", ResourceKeys(), [](auto& s) -> auto& { return s.workload.resources; },
                "Limits of one worker."),
            RunsHere, "a service that GoComet runs, without `endpoints`");
  keys.Last().synonyms = {"limits", "deploy"};
  AppliesToImages(keys.Switch(
      "read-only-root", [](auto& s) -> auto& { return s.workload.read_only_root; },
      "The container cannot write to its own files, but for volumes and /tmp."));
  keys.Last().synonyms = {"read-only", "readonly"};
  AppliesToImages(keys.Texts(
      "capabilities", "a list such as [NET_BIND_SERVICE]", 64,
      "the name of a capability such as NET_BIND_SERVICE, without CAP_", IsCapability,
      [](auto& s) -> auto& { return s.workload.capabilities; },
      "Linux capabilities that the container has; it has no others."));
  keys.Last().synonyms = {"cap-add", "cap_add"};
  AppliesToImages(keys.Read(
      "user", "a name or number, with `:` and a group where one is wanted, such as 1000:1000",
      {.kind = ScalarShape::Kind::kAnything},
      [](const YamlNode& scalar, Service& service) {
        const bool fits = IsWritten(scalar) && IsUser(scalar.text);
        if (fits) service.workload.user = scalar.text;
        return fits;
      },
      [](const Service& service) {
        return service.workload.user.empty() ? "" : YamlText(service.workload.user);
      },
      "Who the container's program runs as; otherwise whom the image says."));
  AppliesToPrograms(keys.Read(
      "working-directory", "the path of a directory", {},
      [](const YamlNode& scalar, Service& service) {
        const bool fits = IsText(scalar) && IsPath(scalar.text);
        if (fits) service.workload.working_directory = scalar.text;
        return fits;
      },
      [](const Service& service) {
        const std::string& directory = service.workload.working_directory;
        return directory.empty() ? "" : YamlText(directory);
      },
      "Where the program starts; otherwise where the image says, or the config file's directory."));
  keys.Last().synonyms = {"workdir", "working-dir", "cwd"};
}

}  // namespace

KeysOf<Service> ServiceKeys() {
  KeysOf<Service> keys;
  AddWhatRuns(keys);
  AddWhere(keys);
  AddSurroundings(keys);
  keys.Group(
      "health", HealthKeys(), [](auto& s) -> auto& { return s.health; },
      "How it is found out whether a worker can take requests.");
  keys.Last().synonyms = {"healthcheck", "health-check", "readiness"};
  AppliesToOwnWorkers(keys.Group(
      "liveness", LivenessKeys(), [](auto& s) -> auto& { return s.liveness; },
      "What becomes of a worker that stays unhealthy."));
  AppliesToOwnWorkers(keys.Group(
      "rollout", RolloutKeys(), [](auto& s) -> auto& { return s.rollout; },
      "How workers are replaced by new ones."));
  keys.Last().synonyms = {"update", "update-config", "strategy"};
  keys.Group(
      "stop", StopKeys(), [](auto& s) -> auto& { return s; }, "How a worker ends.");
  return keys;
}

ConfigKey::Entries ServiceEntries() {
  ConfigKey service;
  service.expected = "keys such as `image: nginx:1.27` below it";
  service.group =
      ConfigKey::Group{ServiceKeys().Take(), [](void* owner) -> void* { return owner; }};
  ConfigKey::Entries entries;
  entries.named = true;
  entries.max = kServicesMax;
  entries.called = "a service";
  entries.name_expected =
      "a name in lower-case letters, digits and hyphens of at most 40 characters";
  entries.name_pattern = "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$";
  entries.accepts_name = IsLabel;
  entries.each = [](const void* owner, const auto& visit) {
    const auto& config = static_cast<const ConfigFile*>(owner)->config;
    for (const Service& each : config.services) visit(each.name, &each);
  };
  entries.add = [](void* owner, const std::string& name) -> void* {
    auto& services = static_cast<ConfigFile*>(owner)->config.services;
    for (Service& each : services) {
      if (each.name == name) return &each;
    }
    return &services.emplace_back(BlankService(name));
  };
  entries.settle = [](void* owner) {
    auto& services = static_cast<ConfigFile*>(owner)->config.services;
    std::sort(services.begin(), services.end(),
              [](const Service& a, const Service& b) { return a.name < b.name; });
  };
  entries.blank = [](const std::string& name) {
    return std::make_shared<Service>(BlankService(name));
  };
  entries.entry = std::make_shared<const ConfigKey>(std::move(service));
  return entries;
}

}  // namespace gocomet::controlplane
