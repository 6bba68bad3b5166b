#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

struct DockerDriverOptions {
  // `unix:///path` or `tcp://host:port`. Empty: the environment's DOCKER_HOST, else
  // unix:///var/run/docker.sock.
  std::string docker_host;
  std::string worker_program;     // The static binary that the image is made of.
  std::string workers_directory;  // Absolute; each worker gets a directory of its own in it.
  std::string report_directory;   // Absolute; holds the report socket, report.sock.
  std::string config_directory;   // Absolute; where relative paths of services start.
  std::string cluster;            // Tells the clusters of one machine apart, in names and labels.
  std::chrono::milliseconds call_patience{10'000};   // For each call of the API but builds.
  std::chrono::milliseconds pull_patience{120'000};  // For a sign of life from a pull.
  const Clock* clock = &SystemClock();               // For times that the engine does not tell.
};

// Whether an engine can be used, within `timeout`: its name, version and address, such as
// `Docker 20.10.24 at unix:///var/run/docker.sock`. NOT_FOUND where there is no engine's socket,
// PERMISSION_DENIED, UNAVAILABLE or DEADLINE_EXCEEDED; the message says what to do.
absl::StatusOr<std::string> ProbeDockerEngine(const std::string& docker_host,
                                              std::chrono::milliseconds timeout);

// Runs workers as containers of a Docker engine, by its API (versions 1.24 to 1.41, negotiated at
// the first call). A worker's handle is its container's id, its id the first 12 digits of that.
// The demo worker's image is never pulled: it is built here from one static program and nothing
// else. A service's own image is pulled where the engine does not have it; what is there is never
// asked for anew.
//
// Each call of the API ends within `call_patience`, a build within 120 s. An engine that comes and
// goes is waited for; calls fail meanwhile. Destroying the driver answers a Stop that still waits
// with CANCELLED.
//
// INVALID_ARGUMENT where `docker_host` is of a kind that is not understood.
absl::StatusOr<std::unique_ptr<RuntimeDriver>> MakeDockerDriver(DockerDriverOptions options);

}  // namespace gocomet::controlplane
