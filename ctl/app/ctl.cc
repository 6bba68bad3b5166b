#include "ctl/app/ctl.h"

#include <algorithm>
#include <functional>
#include <ostream>

#include <CLI/CLI.hpp>

#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

int Complain(std::ostream& err, std::string_view problem) {
  err << "gocometctl: " << problem.substr(0, problem.find('\n')) << "; see gocometctl --help"
      << std::endl;
  return kUsage;
}

void DeclareGlobalOptions(CLI::App& app, GlobalOptions& options) {
  app.add_option("-s,--server", options.server,
                 "control plane: IP:PORT, host:port or unix:/path [GOCOMET_SERVER]")
      ->capture_default_str();
  app.add_option("-o,--output", options.output, "table, wide, json, yaml or name")
      ->capture_default_str();
  app.add_flag("--no-headers", options.no_headers, "tables without their first line");
  app.add_option("--timeout", options.timeout,
                 "how long a call may take, such as 30s [10s; streams: no limit]");
  app.add_option("--token-file", options.token_file,
                 "file with the token to present [GOCOMET_TOKEN]");
}

// Global options may stand after the command, too.
void LetOptionsFallThrough(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->fallthrough();
    LetOptionsFallThrough(*command);
  }
}

}  // namespace

int RunCtl(const std::vector<std::string>& arguments, const Environment& environment) {
  Session session(environment);
  Action action;
  CLI::App app("Looks after a GoComet control plane: what runs, how it does, and how to change it.",
               "gocometctl");
  app.set_version_flag("--version", Version());
  app.require_subcommand(1);
  app.footer("Every command takes the options above, before or after its name.");
  DeclareGlobalOptions(app, session.options());
  AddStatusCommand(app, session, action);
  AddGetCommand(app, session, action);
  AddDescribeCommand(app, session, action);
  AddStatsCommand(app, session, action);
  AddEventsCommand(app, session, action);
  AddLogsCommand(app, session, action);
  AddConfigCommands(app, session, action);
  AddScaleCommand(app, session, action);
  AddWorkerCommands(app, session, action);
  AddVersionCommand(app, session, action);
  LetOptionsFallThrough(app);

  if (!std::all_of(arguments.begin(), arguments.end(), IsUtf8)) {
    return Complain(environment.err, "an argument is not UTF-8 text");
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& asked) {  // --help and --version
    return app.exit(asked, environment.out, environment.err);
  } catch (const CLI::Error& error) {
    return Complain(environment.err, error.what());
  }
  if (const absl::Status ready = session.Prepare(); !ready.ok()) {
    return Complain(environment.err, MessageOf(ready));
  }
  const int exit_code = action();
  if (environment.out.good()) return exit_code;
  environment.err << "gocometctl: the output could not be written" << std::endl;
  return exit_code == kOk ? kError : exit_code;
}

}  // namespace gocomet::ctl
