#pragma once

#include <string>
#include <vector>

#include <absl/status/status.h>

namespace gocomet::dataplane {

// Gives up for good what a balancer has no use for, so that whoever takes it over through a hostile
// request gets little: capabilities (but for the one that binds ports below 1024, where it is
// held), new privileges by executing, starting programs, tracing others, namespaces, mounts,
// modules and the like (seccomp), and all files but those named here (Landlock, where the kernel
// has it).
//
// For this thread and all that it starts later: call it before any other is started.
struct Confinement {
  std::vector<std::string> own_directories;     // Files are read, written, made and removed.
  std::vector<std::string> log_directories;     // Files are made and written.
  std::vector<std::string> socket_directories;  // Sockets are made and removed.
};

// What could be had stays in force after an error. UNIMPLEMENTED where the kernel lacks something.
absl::Status Confine(const Confinement& confinement);

}  // namespace gocomet::dataplane
