#pragma once

#include <map>
#include <string>
#include <vector>

#include "controlplane/runtime/runtime_driver.h"

// How a worker becomes a container. Pure. Source: Docker Engine API, "Create a container".
namespace gocomet::controlplane {

inline constexpr char kWorkerDirectoryInside[] = "/run/gocomet";
inline constexpr char kReportDirectoryInside[] = "/run/gocomet-report";

struct ContainerSpec {
  WorkerLaunch launch;
  std::string cluster;
  std::string image;

  // Of the demo worker.
  std::string user;              // `UID:GID`
  std::string worker_directory;  // On the host; mounted.
  std::string report_directory;

  // Of an image of the user's.
  std::map<std::string, std::string> environment;
  std::vector<Volume> volumes;  // Their sources are absolute.
};

std::string ContainerName(const ContainerSpec& spec);
std::map<std::string, std::string> ContainerLabels(const ContainerSpec& spec);

// The body of POST /containers/create. Whatever runs has no capabilities but those that its service
// names, can gain no privileges, cannot write to its root but for volumes and /tmp unless its
// service says so, and has the limits of its service. Its logs are kept to three files of 10 MB.
std::string CreateContainerBody(const ContainerSpec& spec);

}  // namespace gocomet::controlplane
