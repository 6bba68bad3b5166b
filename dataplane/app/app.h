#pragma once

#include "dataplane/app/options.h"

namespace gocomet::dataplane {

// Runs the balancer until it is told to stop, and returns the program's exit status: 0 drained, 1
// could not start, 128 + signal where a second one ended it at once.
int RunBalancer(const Options& options);

}  // namespace gocomet::dataplane
