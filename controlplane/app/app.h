#pragma once

#include "controlplane/app/command_line.h"

namespace gocomet::controlplane {

// Runs the control plane until it is told to stop, and returns the program's exit status: 0 stopped
// as asked, 1 could not start, 2 the config is not valid, 130 stopped at once by a second signal.
// The only place that puts concrete parts together.
int RunControlPlane(const CommandLine& line);

}  // namespace gocomet::controlplane
