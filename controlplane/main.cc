#include <cstdlib>
#include <optional>

#include "controlplane/app/app.h"
#include "controlplane/app/command_line.h"

int main(int argc, char** argv) {
  // Otherwise gRPC writes a line to standard error for whoever connects and says nonsense.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  std::optional<int> exit_code;
  const auto line = gocomet::controlplane::ParseCommandLine(argc, argv, exit_code);
  if (exit_code) return *exit_code;
  return gocomet::controlplane::RunControlPlane(line);
}
