#include "worker/options.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include <CLI/CLI.hpp>
#include <climits>

#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/token_file.h"

namespace gocomet::worker {
namespace {

constexpr size_t kIdLengthMax = 64;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

// As they stand on the command line.
struct Flags {
  uint16_t port = 8080;
  std::string bind = "0.0.0.0";
  std::string unix_socket;
  std::string id;
  std::string instance;
  std::string control_plane;
  std::string token_file;
  uint32_t average_delay_ms = 500;
  uint32_t failure_percent = 12;
  std::optional<uint64_t> seed;
};

// Under Docker the host name is the short container id.
std::string HostNamePrefix() {
  char name[HOST_NAME_MAX + 1] = "";
  ::gethostname(name, sizeof(name) - 1);
  return std::string(name).substr(0, 12);
}

absl::Status CheckId(std::string_view flag, std::string_view id) {
  const bool legal =
      !id.empty() && id.size() <= kIdLengthMax && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_' || c == '.';
      });
  if (legal) return absl::OkStatus();
  return absl::InvalidArgumentError(Cat(flag, " '", id, "': expected 1 to ", kIdLengthMax,
                                        " letters, digits, '-', '_' or '.', such as 3f1c9a2b7d04"));
}

absl::StatusOr<Options> Check(const Flags& flags) {
  Options options;
  auto listen = Address::FromIpAndPort(flags.bind, flags.port);
  if (!listen.ok()) return WithContext(listen.status(), "--bind");
  options.listen = *listen;
  if (!flags.unix_socket.empty()) {
    auto path = Address::Parse(Cat("unix:", flags.unix_socket));
    if (!path.ok()) return WithContext(path.status(), "--unix-socket");
    options.unix_socket = *path;
  }
  options.id = flags.id.empty() ? HostNamePrefix() : flags.id;
  GOCOMET_RETURN_IF_ERROR(CheckId("--id", options.id));
  options.instance = flags.instance.empty() ? options.id : flags.instance;
  GOCOMET_RETURN_IF_ERROR(CheckId("--instance", options.instance));
  if (flags.control_plane.empty() != flags.token_file.empty()) {
    return absl::InvalidArgumentError(
        "--control-plane and --token-file go together: give both, or neither to run alone");
  }
  if (!flags.control_plane.empty()) {
    auto address = Address::Parse(flags.control_plane);
    if (!address.ok()) return WithContext(address.status(), "--control-plane");
    options.control_plane = *address;
  }
  options.settings = {.average_delay = std::chrono::milliseconds(flags.average_delay_ms),
                      .failure_percent = flags.failure_percent};
  options.seed = flags.seed ? *flags.seed : RandomIncarnation();
  return options;
}

int Complain(std::string_view problem, int exit_status) {
  std::string line(problem.substr(0, problem.find('\n')));
  std::fprintf(stderr, "gocomet-worker: %s\n", line.c_str());
  return exit_status;
}

void Declare(CLI::App& app, Flags& flags) {
  app.set_version_flag("--version", Version());
  app.add_option("--port", flags.port, "TCP port; 0 lets the kernel choose")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--bind", flags.bind, "IP address to listen on")->capture_default_str();
  app.add_option("--unix-socket", flags.unix_socket, "listen on this Unix socket too");
  app.add_option("--id", flags.id, "worker id [first 12 characters of the host name]");
  app.add_option("--instance", flags.instance, "name that the token belongs to [the id]");
  app.add_option("--control-plane", flags.control_plane,
                 "report to unix:/PATH or IP:PORT; needs --token-file");
  app.add_option("--token-file", flags.token_file, "file with the token for the control plane");
  app.add_option("--avg-delay", flags.average_delay_ms,
                 "mean delay of a request in milliseconds; each waits 1/2 to 3/2 of it")
      ->check(CLI::Range(0, static_cast<int>(std::chrono::milliseconds(kAverageDelayMax).count())))
      ->capture_default_str();
  app.add_option("--failure", flags.failure_percent, "share of requests answered 500, in percent")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--seed", flags.seed, "makes the sequence of delays and failures repeatable");
}

}  // namespace

const char* Version() { return GOCOMET_VERSION; }

std::variant<Options, int> ReadOptions(int argc, char** argv) {
  CLI::App app("GoComet's demo worker: an HTTP service with a dialled-in delay and failure rate.",
               "gocomet-worker");
  Flags flags;
  Declare(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help and --version
    return app.exit(asked);
  } catch (const CLI::Error& error) {
    return Complain(Cat(error.what(), "; see --help"), kUsage);
  }
  auto options = Check(flags);
  if (!options.ok()) return Complain(MessageOf(options.status()), kUsage);
  if (options->control_plane) {
    auto token = ReadTokenFile(flags.token_file);
    if (!token.ok()) return Complain(Cat("--token-file: ", MessageOf(token.status())), kFailed);
    options->token = *std::move(token);
  }
  return *std::move(options);
}

}  // namespace gocomet::worker
