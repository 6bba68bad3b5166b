#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/model/route.h"
#include "controlplane/model/service.h"

// The desired state as values. Pure: nothing here knows YAML, gRPC, a clock or a socket.
namespace gocomet::controlplane {

enum class RuntimeKind : uint8_t { kAuto, kDocker, kProcess, kExternal };

// As in config.yaml: `auto`, `docker`, `process`, `external`.
const char* ToString(RuntimeKind kind);

struct BalancerPool {
  uint32_t count = 2;
  std::string bind_address = "127.0.0.1";
  uint16_t port_base = 5050;  // Balancer n listens on port_base + n.
  uint32_t threads = 1;
  bool operator==(const BalancerPool&) const = default;
};

// PEM files; empty: not set. A new certificate in the same files is taken up while it runs.
struct TlsFiles {
  std::string certificate;  // The control plane's own, and those up to its root.
  std::string key;
  std::string client_authority;  // Whoever has a certificate of it needs no token.
  bool enabled() const { return !certificate.empty(); }
  bool operator==(const TlsFiles&) const = default;
};

// What is read once at start and needs a restart to change. Not part of a revision.
struct ProcessSettings {
  std::string database_file = "worker-stats.db";  // `stats-dir`
  std::string state_directory = ".gocomet";
  std::string grpc_address = "127.0.0.1:7070";
  std::string http_address = "127.0.0.1:7071";
  bool insecure = false;       // Whoever reaches the two addresses may do everything.
  bool anonymous_read = true;  // On loopback, whoever has no token may look.
  TlsFiles tls;
  bool operator==(const ProcessSettings&) const = default;
};

// What a revision holds, and what apply can change while traffic flows.
struct Config {
  RuntimeKind runtime = RuntimeKind::kAuto;
  std::vector<Service> services = {Service{}};
  std::vector<Route> routes;  // None: everything goes to the only service.
  BalancerPool balancers;
  bool operator==(const Config&) const = default;
};

// A whole config file: both parts.
struct ConfigFile {
  Config config;
  ProcessSettings process;
  bool operator==(const ConfigFile&) const = default;
};

// Limits that validation enforces and documentation names.
inline constexpr uint32_t kServicesMax = 1000;
inline constexpr uint32_t kRoutesMax = 1000;
inline constexpr uint32_t kWorkersMax = 1000;  // Of one service.
inline constexpr uint32_t kBalancersMax = 64;
inline constexpr uint32_t kBalancerThreadsMax = 64;
inline constexpr std::chrono::milliseconds kAverageDelayMax{600'000};

}  // namespace gocomet::controlplane
