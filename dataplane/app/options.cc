#include "dataplane/app/options.h"

#include <CLI/CLI.hpp>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "common/base/version.h"

namespace gocomet::dataplane {
namespace {

// An option whose text is a duration such as 500ms or 5s.
void AddDuration(CLI::App& app, const std::string& name, std::chrono::milliseconds& into,
                 const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&into, name](const std::string& text) {
           const auto duration = ParseDuration(text);
           if (!duration.ok())
             throw CLI::ValidationError(name, std::string(MessageOf(duration.status())));
           into = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
           if (into.count() == 0) throw CLI::ValidationError(name, "must be at least 1ms");
         },
         help)
      ->default_str(FormatDuration(into));
}

Address ParseAddress(const std::string& name, const std::string& text) {
  const auto address = Address::Parse(text);
  if (!address.ok()) throw CLI::ValidationError(name, std::string(MessageOf(address.status())));
  return *address;
}

}  // namespace

Options ParseOptions(int argc, char** argv, std::optional<int>& exit_code) {
  Options options;
  std::string listen;
  std::vector<std::string> workers;
  CLI::App app("Shares HTTP requests between workers, in turn.", "gocomet-balancer");
  app.set_version_flag("--version", std::string("gocomet-balancer ") + kVersion);
  app.add_option("--listen", listen, "Where it listens, IP:PORT")->required();
  app.add_option("--threads", options.threads, "Event-loop threads")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--worker", workers, "A worker, IP:PORT or unix:/PATH; once for each");
  app.add_option("--health-path", options.assignment.health.path,
                 "What health checks GET; without it, connecting is enough");
  AddDuration(app, "--health-interval", options.assignment.health.interval,
              "Time between two checks");
  AddDuration(app, "--health-timeout", options.assignment.health.timeout, "Time for one check");
  AddDuration(app, "--connect-timeout", options.limits.connect_timeout, "To connect to a worker");
  AddDuration(app, "--header-timeout", options.limits.header_timeout, "For the head of a request");
  AddDuration(app, "--body-timeout", options.limits.body_timeout, "Without progress of a body");
  AddDuration(app, "--response-timeout", options.limits.response_timeout, "Until an answer begins");
  AddDuration(app, "--idle-timeout", options.limits.idle_timeout,
              "Of a connection between requests");
  AddDuration(app, "--drain-timeout", options.drain_timeout, "To finish what it has at its end");
  app.add_option("--max-head-bytes", options.limits.head.head_bytes_max,
                 "Longest head of a message")
      ->check(CLI::Range(1024, 1 << 20))
      ->capture_default_str();
  app.add_option("--max-connections", options.limits.connections_max, "Clients per thread")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--control-plane", options.control_plane,
                 "Takes its workers from there, unix:/PATH");
  app.add_option("--name", options.name, "Its name at the control plane");
  app.add_option("--token-file", options.token_file, "Its token for the control plane");
  app.add_option("--state-dir", options.state_directory, "Where it keeps its last snapshot");
  try {
    app.parse(argc, argv);
    options.listen = ParseAddress("--listen", listen);
    for (size_t i = 0; i < workers.size(); ++i) {
      options.assignment.endpoints.push_back(
          {Cat("worker-", i), 1, ParseAddress("--worker", workers[i]), false});
    }
    const bool managed = !options.control_plane.empty();
    if (managed &&
        (options.name.empty() || options.token_file.empty() || options.state_directory.empty())) {
      throw CLI::ValidationError("--control-plane",
                                 "needs --name, --token-file and --state-dir too");
    }
    if (managed == !workers.empty()) {
      throw CLI::ValidationError("--worker",
                                 "name workers, or a --control-plane to take them from");
    }
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
  }
  return options;
}

}  // namespace gocomet::dataplane
