#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

struct ProcessDriverOptions {
  std::string worker_program;     // Absolute path of gocomet-worker.
  std::string workers_directory;  // Absolute; each worker gets a directory of its own in it.
  std::string report_socket;      // Path of the Unix socket where workers report.
  std::string config_directory;   // Absolute; where relative paths of services start.
  const Clock* clock = &SystemClock();
};

// Runs workers as processes of this machine. A worker's handle and id are its instance. Workers
// that an earlier control plane started from the same directory are found again, also where it
// died while it started them; how a worker ended that nobody watched stays unknown.
//
// Destroying the driver answers a Stop that still waits with CANCELLED. Log streams end when their
// worker has ended. Log files are cut to their last MiB when they pass 10 MiB, for which they are
// looked at every two seconds.
//
// Of a service's resources only memory is limited here, where a program asks for it (RLIMIT_DATA):
// cores and the number of processes are not, which needs a container.
//
// Fails where the directory cannot be made or read.
absl::StatusOr<std::unique_ptr<RuntimeDriver>> MakeProcessDriver(ProcessDriverOptions options);

}  // namespace gocomet::controlplane
