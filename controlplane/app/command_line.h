#pragma once

#include <optional>
#include <string>

namespace gocomet::controlplane {

struct CommandLine {
  std::string config_file = "config.yaml";
  bool check = false;                // Validate and exit.
  bool print_config_schema = false;  // And exit.
  bool watch_config = false;         // Read the file again whenever it has changed.
  bool detach_on_exit = false;       // Leave everything running at the end.
};

// Reads the arguments. Where the program is to end at once (--help, --version, a mistake) it has
// printed what there is to say, and `exit_code` is set: 0, or 2 for a mistake.
CommandLine ParseCommandLine(int argc, char** argv, std::optional<int>& exit_code);

}  // namespace gocomet::controlplane
