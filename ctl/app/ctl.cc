#include "ctl/app/ctl.h"

#include <algorithm>
#include <functional>
#include <ostream>
#include <utility>

#include <CLI/CLI.hpp>

#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

int Complain(std::ostream& err, std::string_view problem, std::string_view command = "gocometctl") {
  err << "gocometctl: " << problem.substr(0, problem.find('\n')) << "; see " << command << " --help"
      << std::endl;
  return kUsage;
}

// The innermost command that the command line named.
const CLI::App& Named(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : Named(*commands.front());
}

// `gocometctl config`: what its help is asked of.
std::string PathOf(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : Cat(PathOf(*parent), " ", command.get_name());
}

int ComplainAbout(const CLI::App& app, const CLI::Error& error, std::ostream& err) {
  const CLI::App& command = Named(app);
  const auto commands = command.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty()) return Complain(err, error.what(), PathOf(command));
  for (const std::string& word : app.remaining(true)) {
    if (word.starts_with('-')) continue;
    return Complain(err, Cat("there is no command '", OneLine(word), "'"), PathOf(command));
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) == nullptr) {
    return Complain(err, error.what(), PathOf(command));
  }
  err << command.help();
  return kUsage;
}

// `help get` is `get --help`.
std::vector<std::string> WithHelpAsOption(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments.front() != "help") return arguments;
  arguments.erase(arguments.begin());
  arguments.emplace_back("--help");
  return arguments;
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
                 "file with the token to present [GOCOMET_TOKEN; on this machine the admin's own, "
                 "where you may read it]");
  app.add_flag("--tls", options.tls, "speak TLS, and trust this machine's authorities");
  app.add_option("--tls-ca", options.tls_ca,
                 "speak TLS, and trust the authorities in this PEM file [GOCOMET_TLS_CA]");
  app.add_option("--tls-certificate", options.tls_certificate,
                 "PEM file with your certificate, in place of a token [GOCOMET_TLS_CERTIFICATE]");
  app.add_option("--tls-key", options.tls_key,
                 "PEM file with the private key of your certificate [GOCOMET_TLS_KEY]");
  app.add_option("--tls-server-name", options.tls_server_name,
                 "name in the control plane's certificate, where it is not the address");
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
  AddRolloutCommands(app, session, action);
  AddTokenCommands(app, session, action);
  AddVersionCommand(app, session, action);
  LetOptionsFallThrough(app);

  if (!std::all_of(arguments.begin(), arguments.end(), IsUtf8)) {
    return Complain(environment.err, "an argument is not UTF-8 text");
  }
  try {
    std::vector<std::string> words = WithHelpAsOption(arguments);
    std::reverse(words.begin(), words.end());
    app.parse(std::move(words));
  } catch (const CLI::Success& asked) {  // --help and --version
    return app.exit(asked, environment.out, environment.err);
  } catch (const CLI::Error& error) {
    return ComplainAbout(app, error, environment.err);
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
