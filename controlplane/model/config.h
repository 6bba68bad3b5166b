#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The desired state as values. Pure: nothing here knows YAML, gRPC, a clock or a socket.
namespace gocomet::controlplane {

enum class RuntimeKind : uint8_t { kAuto, kDocker, kProcess, kExternal };

// As in config.yaml: `auto`, `docker`, `process`, `external`.
const char* ToString(RuntimeKind kind);

// The dials of the demo worker. Running workers take new ones without a restart.
struct DemoWorker {
  std::chrono::milliseconds average_delay{500};
  uint32_t failure_percent = 12;
  bool operator==(const DemoWorker&) const = default;
};

struct HealthCheck {
  std::string path = "/healthz";  // Empty: probe by connecting only.
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds timeout{2000};
  uint32_t healthy_threshold = 1;
  uint32_t unhealthy_threshold = 2;
  std::chrono::milliseconds start_deadline{30000};
  bool operator==(const HealthCheck&) const = default;
};

struct Rollout {
  uint32_t max_surge = 1;
  uint32_t max_unavailable = 0;
  std::chrono::milliseconds min_ready{0};
  bool operator==(const Rollout&) const = default;
};

struct Service {
  std::string name = "worker";
  uint32_t replicas = 3;
  uint16_t host_port_base = 6000;  // Ordinal n listens on host_port_base + n.
  std::string bind_address = "127.0.0.1";
  DemoWorker demo;
  HealthCheck health;
  Rollout rollout;
  std::chrono::milliseconds drain_timeout{30000};
  std::chrono::milliseconds stop_grace{10000};
  bool operator==(const Service&) const = default;
};

struct BalancerPool {
  uint32_t count = 2;
  std::string bind_address = "127.0.0.1";
  uint16_t port_base = 5050;  // Balancer n listens on port_base + n.
  uint32_t threads = 1;
  bool operator==(const BalancerPool&) const = default;
};

// What is read once at start and needs a restart to change. Not part of a revision.
struct ProcessSettings {
  std::string database_file = "worker-stats.db";  // `stats-dir`
  std::string state_directory = ".gocomet";
  std::string grpc_address = "127.0.0.1:7070";
  std::string http_address = "127.0.0.1:7071";
  bool insecure = false;  // Allows control-plane addresses other than loopback.
  bool operator==(const ProcessSettings&) const = default;
};

// What a revision holds, and what apply can change while traffic flows.
struct Config {
  RuntimeKind runtime = RuntimeKind::kAuto;
  std::vector<Service> services = {Service{}};
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
inline constexpr uint32_t kWorkersMax = 1000;
inline constexpr uint32_t kBalancersMax = 64;
inline constexpr uint32_t kBalancerThreadsMax = 64;
inline constexpr std::chrono::milliseconds kAverageDelayMax{600'000};

}  // namespace gocomet::controlplane
