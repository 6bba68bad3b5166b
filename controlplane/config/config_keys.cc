#include "controlplane/config/config_keys.h"

#include <algorithm>

#include "controlplane/config/value_rules.h"

namespace gocomet::controlplane {
namespace {

using Part = ConfigKey::Part;

const std::string kIp = "an IP address such as 127.0.0.1 or \"::1\"";
const std::string kPortAndAddress = "an address and port such as 127.0.0.1:7070 or \"[::1]:7070\"";

// Means something only where the service `worker` is what `of` says.
void AppliesToFlatService(ConfigKey& key, bool (*of)(const Service&), std::string applies_to) {
  key.applies = [of](const void* owner) {
    const Service* service =
        FindService(static_cast<const ConfigFile*>(owner)->config, kFlatService);
    return service != nullptr && of(*service);
  };
  key.applies_to = std::move(applies_to);
}

void AddSevenKeys(KeysOf<ConfigFile>& keys) {
  const auto runs_itself = [](const Service& s) { return s.workload.endpoints.empty(); };
  const auto is_demo = [](const Service& s) { return s.workload.is_demo(); };
  const std::string not_elsewhere = "a service `worker` that GoComet runs, without `endpoints`";
  const std::string a_demo = "a service `worker` that is the demo worker";

  AppliesToFlatService(keys.In(Part::kService)
                           .Number(
                               "worker", 0, kWorkersMax, "",
                               [](auto& f) -> auto& { return FlatService(f).replicas; },
                               "Copies of the service `worker`."),
                       runs_itself, not_elsewhere);
  keys.In(Part::kConfig)
      .Number(
          "pool", 0, kBalancersMax, "", [](auto& f) -> auto& { return f.config.balancers.count; },
          "Balancers.");
  keys.In(Part::kProcess)
      .Text(
          "stats-dir", "the path of a database file", IsFilePath,
          [](auto& f) -> auto& { return f.process.database_file; },
          "The SQLite file: statistics, revisions, events. The name is historical: it is a file.");
  AppliesToFlatService(
      keys.In(Part::kService)
          .Number(
              "avg-delay", 0, static_cast<uint64_t>(kAverageDelayMax.count()), "milliseconds",
              [](auto& f) -> auto& { return FlatService(f).demo.average_delay; },
              "Demo worker: each request waits a uniform time between half and "
              "one and a half of this, in milliseconds."),
      is_demo, a_demo);
  AppliesToFlatService(keys.Number(
                           "failure", 0, 100, "percent",
                           [](auto& f) -> auto& { return FlatService(f).demo.failure_percent; },
                           "Demo worker: percentage of requests answered 500 at once."),
                       is_demo, a_demo);
  keys.In(Part::kConfig)
      .Number(
          "load-balancer-port", 1, 65535, "",
          [](auto& f) -> auto& { return f.config.balancers.port_base; },
          "Balancer i listens on this + i.");
  AppliesToFlatService(keys.In(Part::kService)
                           .Number(
                               "worker-port", 1, 65535, "",
                               [](auto& f) -> auto& { return FlatService(f).host_port_base; },
                               "Worker i of the service `worker` listens on this + i."),
                       runs_itself, not_elsewhere);
}

void AddOtherScalars(KeysOf<ConfigFile>& keys) {
  keys.In(Part::kConfig)
      .Choice<>(
          "runtime",
          std::vector{RuntimeKind::kAuto, RuntimeKind::kDocker, RuntimeKind::kProcess,
                      RuntimeKind::kExternal},
          [](auto& f) -> auto& { return f.config.runtime; },
          "What runs workers. `auto`: Docker where an engine answers at start, processes "
          "otherwise. `external`: GoComet starts nothing; it expects workers on their ports.");
  keys.Text(
      "load-balancer-bind", kIp, IsIp,
      [](auto& f) -> auto& { return f.config.balancers.bind_address; }, "Where balancers listen.");
  AppliesToFlatService(
      keys.In(Part::kService)
          .Text(
              "worker-bind", kIp, IsIp,
              [](auto& f) -> auto& { return FlatService(f).bind_address; },
              "Where the ports of the service `worker` are published."),
      [](const Service& s) { return s.workload.endpoints.empty(); },
      "a service `worker` that GoComet runs, without `endpoints`");
  keys.In(Part::kConfig)
      .Number(
          "load-balancer-threads", 1, kBalancerThreadsMax, "",
          [](auto& f) -> auto& { return f.config.balancers.threads; },
          "Event-loop threads of each balancer.");
  keys.In(Part::kProcess)
      .Text(
          "state-dir", "the path of a directory", IsPath,
          [](auto& f) -> auto& { return f.process.state_directory; },
          "Sockets, tokens, logs and last snapshots; mode 0700. One control plane per directory.");
}

template <typename Field>
void AddPemFile(KeysOf<TlsFiles>& keys, std::string name, Field field, std::string meaning) {
  keys.Read(
      std::move(name), "the path of a PEM file", {},
      [field](const YamlNode& scalar, TlsFiles& files) {
        if (!IsText(scalar) || !IsFilePath(scalar.text)) return false;
        field(files) = scalar.text;
        return true;
      },
      [field](const TlsFiles& files) {
        return field(files).empty() ? std::string() : YamlText(field(files));
      },
      std::move(meaning));
}

KeysOf<TlsFiles> TlsKeys() {
  KeysOf<TlsFiles> keys;
  keys.In(Part::kProcess);
  AddPemFile(
      keys, "certificate", [](auto& f) -> auto& { return f.certificate; },
      "The control plane's certificate, followed by those between it and its root.");
  AddPemFile(
      keys, "key", [](auto& f) -> auto& { return f.key; }, "The private key of the certificate.");
  AddPemFile(
      keys, "client-ca", [](auto& f) -> auto& { return f.client_authority; },
      "Certificates of authorities. A client whose certificate one of them has signed needs no "
      "token: its role is the organization `gocomet:viewer`, `gocomet:operator` or "
      "`gocomet:admin` in the certificate's subject.");
  return keys;
}

KeysOf<ProcessSettings> ControlPlaneKeys() {
  KeysOf<ProcessSettings> keys;
  keys.In(Part::kProcess);
  keys.Text(
      "grpc", kPortAndAddress, IsIpAndPort, [](auto& p) -> auto& { return p.grpc_address; },
      "gRPC for gocometctl and scripts.");
  keys.Text(
      "http", kPortAndAddress, IsIpAndPort, [](auto& p) -> auto& { return p.http_address; },
      "`/healthz` and `/readyz`.");
  keys.Switch(
      "insecure", [](auto& p) -> auto& { return p.insecure; },
      "Gives up TLS and tokens: whoever reaches the two addresses above controls the cluster, and "
      "they may be other than loopback.");
  keys.Switch(
      "anonymous-read", [](auto& p) -> auto& { return p.anonymous_read; },
      "While gRPC listens on loopback: programs of this machine may look without a token. Changes "
      "always take one.");
  keys.Group(
      "tls", TlsKeys(), [](auto& p) -> auto& { return p.tls; },
      "The two addresses speak TLS, and may be other than loopback. The files are PEM, and are "
      "read "
      "again when they change.");
  return keys;
}

ConfigKey MakeRoot() {
  KeysOf<ConfigFile> keys;
  AddSevenKeys(keys);
  std::vector<ConfigKey> seven = std::move(keys).Take();
  for (ConfigKey& key : seven) key.is_main = true;

  KeysOf<ConfigFile> others;
  AddOtherScalars(others);
  others.In(Part::kProcess)
      .Group(
          "control-plane", ControlPlaneKeys(), [](auto& f) -> auto& { return f.process; },
          "The control plane itself.");
  others.In(Part::kConfig)
      .EntriesOf("services", "services by their names, such as `web:` with its keys below it",
                 ServiceEntries(), "What runs, by name.");
  others.EntriesOf("routes", "a list of routes, each with `- name:` and its other keys",
                   RouteEntries(),
                   "Which requests go to which services: the first route, in order, that matches "
                   "takes the request. Without routes everything goes to the only service.");

  ConfigKey root;
  root.group = ConfigKey::Group{std::move(seven), [](void* file) { return file; }};
  for (ConfigKey& key : std::move(others).Take()) root.group->keys.push_back(std::move(key));
  return root;
}

}  // namespace

const ConfigKey& ConfigRoot() {
  static const ConfigKey root = MakeRoot();
  return root;
}

Service& FlatService(ConfigFile& file) {
  std::vector<Service>& services = file.config.services;
  const auto found = std::find_if(services.begin(), services.end(), [](const Service& service) {
    return service.name == kFlatService;
  });
  return found != services.end() ? *found : services.emplace_back();
}

const Service& FlatService(const ConfigFile& file) {
  static const Service none{.replicas = 0};
  const Service* service = FindService(file.config, kFlatService);
  return service != nullptr ? *service : none;
}

const Service* FindService(const Config& config, std::string_view name) {
  const auto found = std::find_if(config.services.begin(), config.services.end(),
                                  [&](const Service& service) { return service.name == name; });
  return found != config.services.end() ? &*found : nullptr;
}

Service BlankService(const std::string& name) {
  Service service;
  service.name = name;
  if (name != kFlatService) service.replicas = 1;
  return service;
}

}  // namespace gocomet::controlplane
