#include "dataplane/app/options.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "dataplane/app/flag_values.h"

namespace gocomet::dataplane {
namespace {

// An option whose text is a duration such as 500ms or 5s.
void AddDuration(CLI::App& app, const std::string& name, std::chrono::milliseconds& into,
                 const std::string& help,
                 std::chrono::milliseconds least = std::chrono::milliseconds(1)) {
  app.add_option_function<std::string>(
         name,
         [&into, name, least](const std::string& text) {
           const auto duration = ParseDuration(text);
           if (!duration.ok())
             throw CLI::ValidationError(name, std::string(MessageOf(duration.status())));
           into = std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
           if (into < least) throw CLI::ValidationError(name, "must be at least 1ms");
         },
         help)
      ->default_str(FormatDuration(into));
}

// The value, or the error as CLI11 wants it.
template <typename Value>
Value OrComplain(const std::string& name, absl::StatusOr<Value> value) {
  if (!value.ok()) throw CLI::ValidationError(name, std::string(MessageOf(value.status())));
  return *std::move(value);
}

// An option whose text `parse` turns into a value.
template <typename Value, typename Parse>
void AddParsed(CLI::App& app, const std::string& name, Value& into, const Parse& parse,
               const std::string& default_text, const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&into, name, parse](const std::string& text) { into = OrComplain(name, parse(text)); },
         help)
      ->default_str(default_text);
}

constexpr char kBalancing[] = "Choosing a worker";
constexpr char kHealth[] = "Health of workers";
constexpr char kLimits[] = "Limits";
constexpr char kForwarding[] = "What workers and clients are told";
constexpr char kAccessLog[] = "Access log";

// Which worker a request goes to.
void AddBalancing(CLI::App& app, Options& options) {
  AddParsed(app, "--algorithm", options.algorithm, ParseAlgorithm,
            std::string(NameOf(options.algorithm)),
            "How workers are chosen: round-robin, weighted, least-requests, two-choices or "
            "consistent-hash");
  AddParsed(app, "--hash-on", options.hash_on, HashOn::Parse, options.hash_on.ToString(),
            "What keeps requests with one worker under consistent-hash: header:NAME, cookie:NAME "
            "or client-address");
  AddDuration(app, "--slow-start", options.service.slow_start,
              "Until a worker that came new or back has its whole share; 0: at once",
              std::chrono::milliseconds(0));
}

// Which workers requests may go to.
void AddHealth(CLI::App& app, WantedService& service) {
  HealthSettings& health = service.health;
  EjectionPolicy& ejection = service.ejection;
  AddParsed(app, "--health-path", health.path, ParseHealthPath, "",
            "What health checks GET; without it, connecting is enough");
  AddDuration(app, "--health-interval", health.interval, "Time between two checks");
  AddDuration(app, "--health-timeout", health.timeout, "Time for one check");
  AddParsed(app, "--health-expect", health.expected, ParseStatusRanges, "200-399",
            "Statuses that pass, such as 200 or 200-299,404");
  app.add_option("--health-healthy-threshold", health.policy.healthy_threshold,
                 "Checks in a row that bring a worker back")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--health-unhealthy-threshold", health.policy.unhealthy_threshold,
                 "Checks in a row that take a worker out")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--health-panic-threshold", health.panic_percent,
                 "With fewer percent of the workers left, all that take connections are used; 0: "
                 "never")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--eject-failures", ejection.failures,
                 "Connections that fail or break in a row until a worker is ejected; 0: never")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  AddDuration(app, "--eject-time", ejection.time, "Of a first ejection; the next ones last longer");
  AddDuration(app, "--eject-time-max", ejection.time_max, "Of any ejection, at most");
}

// What bounds a client, a worker and a request.
void AddLimits(CLI::App& app, Limits& limits) {
  AddDuration(app, "--connect-timeout", limits.connect_timeout, "To connect to a worker");
  AddDuration(app, "--header-timeout", limits.header_timeout, "For the head of a request");
  AddDuration(app, "--body-timeout", limits.body_timeout, "Without progress of a body");
  AddDuration(app, "--response-timeout", limits.response_timeout, "Until an answer begins");
  AddDuration(app, "--idle-timeout", limits.idle_timeout,
              "Of a client's connection between requests");
  AddDuration(app, "--upstream-idle-timeout", limits.upstream_idle_timeout,
              "Of a connection to a worker between requests");
  AddDuration(app, "--tunnel-timeout", limits.tunnel_timeout,
              "Of a connection that became another protocol's, without a byte");
  app.add_option("--min-body-rate", limits.body_rate_min,
                 "Bytes a second that a request's body must bring once --body-timeout has passed; "
                 "0: any")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--max-head-bytes", limits.head.head_bytes_max, "Longest head of a message")
      ->check(CLI::Range(1024, 1 << 20))
      ->capture_default_str();
  app.add_option("--max-target-bytes", limits.head.target_bytes_max, "Longest target of a request")
      ->check(CLI::Range(256, 1 << 20))
      ->capture_default_str();
  app.add_option("--max-connections", limits.connections_max,
                 "Clients at once, shared evenly between the threads; more of them wait")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--max-requests-per-connection", limits.requests_per_connection_max,
                 "Then the connection ends with its answer; 0: never")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--max-retries", limits.retries_max, "Other attempts at one request")
      ->check(CLI::Range(0, 10))
      ->capture_default_str();
}

// What the heads that leave say of client and balancer.
void AddForwarding(CLI::App& app, Forwarding& forwarding) {
  AddParsed(app, "--trusted-proxies", forwarding.trusted_proxies, Networks::Parse,
            forwarding.trusted_proxies.ToString(),
            "Clients whose X-Forwarded-For, -Proto and -Host are kept: addresses and networks with "
            "commas between; empty for none");
  AddParsed(app, "--via", forwarding.via, ParseViaName, "",
            "Name to add to Via in both directions; without it there is no such line");
}

// What is written of each request.
void AddAccessLog(CLI::App& app, AccessLogSettings& log) {
  app.add_option("--access-log", log.path,
                 "Where a line of JSON is written for each request, a path or - for standard "
                 "output; without it, nowhere");
  AddParsed(app, "--access-log-mode", log.policy.mode, ParseAccessLogMode, "all",
            "Which requests: all, errors, slow (errors too) or sample");
  AddDuration(app, "--access-log-slow", log.policy.slow,
              "From which time on a request is slow, with --access-log-mode slow");
  AddParsed(app, "--access-log-sample", log.policy.sample, ParseShare, "0.01",
            "The share of requests with --access-log-mode sample, 0 to 1");
  app.add_flag("--access-log-query", log.with_query, "Writes the query of each target too");
}

// Flags that would do nothing are mistakes.
void CheckAccessLog(const CLI::App& app, const AccessLogSettings& log) {
  const auto need = [&app](const std::string& flag, bool has, const std::string& what) {
    if (app.count(flag) > 0 && !has) throw CLI::ValidationError(flag, Cat("needs ", what));
  };
  if (app.count("--access-log") > 0 && log.path.empty()) {
    throw CLI::ValidationError("--access-log", "is empty; name a file, or - for standard output");
  }
  for (const char* flag :
       {"--access-log-mode", "--access-log-slow", "--access-log-sample", "--access-log-query"}) {
    need(flag, !log.path.empty(), "--access-log");
  }
  need("--access-log-slow", log.policy.mode == AccessLogMode::kSlow, "--access-log-mode slow");
  need("--access-log-sample", log.policy.mode == AccessLogMode::kSample,
       "--access-log-mode sample");
}

}  // namespace

Options ParseOptions(int argc, char** argv, std::optional<int>& exit_code) {
  Options options;
  std::string listen;
  std::string handover;
  std::vector<std::string> workers;
  CLI::App app("Shares HTTP requests between workers.", "gocomet-balancer");
  app.set_version_flag("--version", std::string("gocomet-balancer ") + kVersion);
  app.add_option("--listen", listen, "Where it listens, IP:PORT")->required();
  app.add_option("--threads", options.threads, "Event-loop threads")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--handover", handover,
                 "Takes over from the balancer that waits there, and waits there for its own "
                 "successor, unix:/PATH");
  app.add_option("--worker", workers,
                 "A worker, IP:PORT or unix:/PATH, where wanted with ,weight=N; once for each");
  app.option_defaults()->group(kBalancing);
  AddBalancing(app, options);
  app.option_defaults()->group(kHealth);
  AddHealth(app, options.service);
  app.option_defaults()->group(kLimits);
  AddLimits(app, options.proxy.limits);
  AddDuration(app, "--drain-timeout", options.drain_timeout, "To finish what it has at its end");
  AddDuration(app, "--drain-idle-timeout", options.proxy.limits.drain_idle_timeout,
              "Of a connection between requests at its end, at most half of --drain-timeout");
  app.option_defaults()->group(kForwarding);
  AddForwarding(app, options.proxy.forwarding);
  app.option_defaults()->group(kAccessLog);
  AddAccessLog(app, options.access_log);
  app.option_defaults()->group("Options");
  app.add_option("--control-plane", options.control_plane,
                 "Takes its workers from there, unix:/PATH");
  app.add_option("--name", options.name, "Its name at the control plane");
  app.add_option("--token-file", options.token_file, "Its token for the control plane");
  app.add_option("--state-dir", options.state_directory, "Where it keeps its last snapshot");
  try {
    app.parse(argc, argv);
    auto& drain_idle_timeout = options.proxy.limits.drain_idle_timeout;
    drain_idle_timeout = std::min(drain_idle_timeout, options.drain_timeout / 2);
    options.listen = OrComplain("--listen", Address::Parse(listen));
    if (!handover.empty()) {
      options.handover = OrComplain("--handover", Address::Parse(handover));
      if (!options.handover->is_unix()) {
        throw CLI::ValidationError("--handover", Cat("`", handover, "` is not unix:/PATH"));
      }
      if (!options.listen.is_unix() && options.listen.port() == 0) {
        throw CLI::ValidationError("--handover", "needs a --listen whose port is not 0");
      }
    }
    for (const std::string& worker : workers) {
      options.service.endpoints.push_back(OrComplain("--worker", ParseWorker(worker)));
    }
    if (app.count("--hash-on") > 0 && options.algorithm != Algorithm::kConsistentHash) {
      throw CLI::ValidationError("--hash-on", "needs --algorithm consistent-hash");
    }
    if (const std::string wrong = FindContradiction(options.service, options.algorithm);
        !wrong.empty()) {
      throw CLI::ValidationError(wrong);
    }
    CheckAccessLog(app, options.access_log);
    const bool managed = !options.control_plane.empty();
    if (managed &&
        (options.name.empty() || options.token_file.empty() || options.state_directory.empty())) {
      throw CLI::ValidationError("--control-plane",
                                 "needs --name, --token-file and --state-dir too");
    }
    for (const CLI::Option* option : app.get_options()) {
      const bool comes_with_workers =
          option->get_group() == kBalancing || option->get_group() == kHealth;
      if (managed && comes_with_workers && option->count() > 0) {
        throw CLI::ValidationError(option->get_name(),
                                   "with --control-plane this comes from there; leave it out");
      }
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
