#include <optional>

#include "controlplane/app/app.h"
#include "controlplane/app/command_line.h"

int main(int argc, char** argv) {
  std::optional<int> exit_code;
  const auto line = gocomet::controlplane::ParseCommandLine(argc, argv, exit_code);
  if (exit_code) return *exit_code;
  return gocomet::controlplane::RunControlPlane(line);
}
