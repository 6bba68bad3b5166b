#include "controlplane/app/command_line.h"

#include <CLI/CLI.hpp>

#include "common/base/version.h"

namespace gocomet::controlplane {

CommandLine ParseCommandLine(int argc, char** argv, std::optional<int>& exit_code) {
  CommandLine line;
  CLI::App app(
      "Runs the workers and balancers of config.yaml, and lets you change them while traffic "
      "flows.",
      "gocomet-controlplane");
  app.add_option("--config", line.config_file, "The config file; where it is missing, the defaults")
      ->capture_default_str();
  app.add_flag("--check", line.check, "Check the config file and exit: 0 valid, 2 not");
  app.add_flag("--print-config-schema", line.print_config_schema,
               "Print the JSON Schema of the config file, for editors, and exit");
  app.add_flag("--watch-config", line.watch_config,
               "Take up changes of the config file by itself, as SIGHUP does");
  app.add_flag("--detach-on-exit", line.detach_on_exit,
               "Leave workers and balancers running at the end; the next start takes them over");
  app.set_version_flag("--version", std::string("gocomet-controlplane ") + kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
  }
  return line;
}

}  // namespace gocomet::controlplane
