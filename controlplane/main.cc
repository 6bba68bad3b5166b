#include <cstdlib>
#include <iostream>
#include <optional>

#include "controlplane/app/app.h"
#include "controlplane/app/command_line.h"
#include "controlplane/config/config_schema.h"

int main(int argc, char** argv) {
  // Otherwise gRPC writes a line to standard error for whoever connects and says nonsense.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  std::optional<int> exit_code;
  const auto line = gocomet::controlplane::ParseCommandLine(argc, argv, exit_code);
  if (exit_code) return *exit_code;
  if (line.print_config_schema) {
    std::cout << gocomet::controlplane::ConfigSchema();
    return 0;
  }
  return gocomet::controlplane::RunControlPlane(line);
}
