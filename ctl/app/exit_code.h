#pragma once

#include <absl/status/status.h>

namespace gocomet::ctl {

// What the shell sees: one meaning per number, the same for every command. Part of the interface;
// a number is never given another meaning. 10 (differences found) is kept free for the
// commands that need it.
enum ExitCode : int {
  kOk = 0,
  kError = 1,
  kUsage = 2,
  kNotFound = 3,
  kConflict = 4,
  kInvalidConfig = 5,
  kTimedOut = 6,
  kRolloutFailed = 7,
  kUnreachable = 8,
  kDenied = 9,
  // 128 + SIGINT, as shells report a program that Ctrl-C ended.
  kInterrupted = 130,
};

// For the status of a call. INVALID_ARGUMENT is a usage error: an argument of the command line went
// into a field of the request. Commands that send a config answer kInvalidConfig instead.
ExitCode ExitCodeFor(absl::StatusCode code);

}  // namespace gocomet::ctl
