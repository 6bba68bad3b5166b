#pragma once

#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "controlplane/app/config_start.h"
#include "controlplane/app/file_watch.h"
#include "controlplane/cluster/cluster.h"

namespace gocomet::controlplane {

// Takes up the config file while the control plane runs. A bad file never touches what runs; events
// say what is wrong with it.
//
// Belongs to one thread, which is not the cluster's: the disk may be slow. Outlives the cluster's
// last turn.
class ConfigReload {
 public:
  // `file` as people named it; `running` is what the control plane was started with. Where `watch`
  // is there, Look reads a file that has changed.
  ConfigReload(Cluster& cluster, std::string file, ProcessSettings running,
               std::optional<FileWatch> watch);

  void Read();
  void Look();

 private:
  // The cluster's thread.
  void Take(const absl::StatusOr<LoadedConfig>& loaded, const ParsedConfig& parsed);

  Cluster& cluster_;
  const std::string file_;
  const ProcessSettings running_;
  std::optional<FileWatch> watch_;
};

}  // namespace gocomet::controlplane
