#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

// A service as values: a set of identical workers and how to run them. Pure.
namespace gocomet::controlplane {

// The dials of the demo worker. Running workers take new ones without a restart.
struct DemoWorker {
  std::chrono::milliseconds average_delay{500};
  uint32_t failure_percent = 12;
  bool operator==(const DemoWorker&) const = default;
};

// A directory or file of the host that a container sees.
struct Volume {
  std::string source;  // On the host; relative to the config file's directory.
  std::string target;  // In the container; absolute.
  bool read_only = false;
  bool operator==(const Volume&) const = default;
};

// 0: no limit.
struct Resources {
  uint64_t memory_bytes = 0;
  uint32_t millicpus = 0;  // 1000: one core.
  uint32_t pids = 256;
  bool operator==(const Resources&) const = default;
};

// What one worker runs: the demo worker, unless an image, a command or endpoints say otherwise.
struct Workload {
  std::string image;  // Docker. With `command`: in place of the image's own.
  std::vector<std::string> command;
  std::string working_directory;  // Of a command; empty: the config file's directory.
  // External: where workers that others run are, worker n at place n; `IP:PORT` or `unix:/PATH`.
  std::vector<std::string> endpoints;
  uint16_t container_port = 8080;  // Where an image listens.
  // Values may be secrets: they are never shown. Those of files come first, and yield.
  std::map<std::string, std::string> environment;
  std::vector<std::string> environment_files;  // Read at each start of a worker.
  std::vector<Volume> volumes;
  Resources resources;
  bool read_only_root = true;
  std::vector<std::string> capabilities;  // Docker's names; a container has no others.
  std::string user;                       // Docker: of the container; empty: the image's.
  std::string stop_signal = "SIGTERM";

  bool is_demo() const { return image.empty() && command.empty() && endpoints.empty(); }
  bool operator==(const Workload&) const = default;
};

// Statuses from the first to the last, both included.
struct ExpectedStatus {
  uint16_t first = 200;
  uint16_t last = 399;
  bool operator==(const ExpectedStatus&) const = default;
};

struct HealthCheck {
  std::string path = "/healthz";  // Empty: probe by connecting only.
  std::string method = "GET";     // `GET` or `HEAD`.
  std::vector<ExpectedStatus> expected = {ExpectedStatus{}};
  std::chrono::milliseconds interval{5000};
  std::chrono::milliseconds timeout{2000};
  uint32_t healthy_threshold = 1;
  uint32_t unhealthy_threshold = 2;
  std::chrono::milliseconds start_deadline{30000};
  bool operator==(const HealthCheck&) const = default;
};

// Whether a worker that stays unhealthy is replaced; never the last one that serves.
struct Liveness {
  std::chrono::milliseconds restart_after{0};  // Unhealthy for this long without a pause; 0: never.
  bool operator==(const Liveness&) const = default;
};

enum class OnFailure : uint8_t { kRollback, kPause };

// As in config.yaml: `rollback`, `pause`.
const char* ToString(OnFailure on_failure);

struct Rollout {
  uint32_t max_surge = 1;
  uint32_t max_unavailable = 0;
  std::chrono::milliseconds min_ready{0};
  // A rollout that has made no worker ready for this long has failed.
  std::chrono::milliseconds progress_deadline{120'000};
  OnFailure on_failure = OnFailure::kRollback;
  bool operator==(const Rollout&) const = default;
};

struct Service {
  std::string name = "worker";
  uint32_t replicas = 3;           // With endpoints: as many as there are.
  uint16_t host_port_base = 6000;  // Ordinal n listens on host_port_base + n.
  std::string bind_address = "127.0.0.1";
  DemoWorker demo;
  Workload workload;
  HealthCheck health;
  Liveness liveness;
  Rollout rollout;
  std::chrono::milliseconds drain_timeout{30000};
  std::chrono::milliseconds stop_grace{10000};
  bool operator==(const Service&) const = default;
};

}  // namespace gocomet::controlplane
