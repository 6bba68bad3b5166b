#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/unique_fd.h"

// The executables of the project, as processes of a test.
namespace gocomet::testing {

struct CommandResult {
  int exit_code = -1;
  std::string output;  // stdout and stderr, as they came.
};

// Runs a program to its end, at most `timeout`.
CommandResult RunCommand(const std::vector<std::string>& arguments,
                         std::chrono::seconds timeout = std::chrono::seconds(30));

// Waits until `condition` holds; false where it did not in time.
bool WaitUntil(const std::function<bool()>& condition,
               std::chrono::milliseconds timeout = std::chrono::seconds(20));

// One of GoComet's executables, as built.
std::string Program(const std::string& name);

// A run of ports below the range from which the kernel takes its own. Whoever holds the last one
// has them all, so that tests of several programs at once do not meet.
UniqueFd ReservePorts();
uint16_t FirstOf(const UniqueFd& reservation);

// Starts a program whose stdout and stderr are added to the file `output`; its pid. An empty
// `directory` is the present one. It is asked to stop where the test ends before it, however the
// test ends.
int Spawn(const std::vector<std::string>& arguments, const std::string& output,
          const std::string& directory, const std::map<std::string, std::string>& environment = {});

// The exit status of a child, or 128 + signal; nothing where it did not end in time.
std::optional<int> WaitForPid(int pid, std::chrono::milliseconds timeout);

}  // namespace gocomet::testing
