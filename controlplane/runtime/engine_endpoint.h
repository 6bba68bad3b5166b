#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace gocomet::controlplane {

// Where a Docker engine listens, and how it is to be spoken to.
struct EngineEndpoint {
  // Both sides show a certificate of the same authority.
  struct Tls {
    std::string authority_file;  // PEM files.
    std::string certificate_file;
    std::string key_file;
    bool operator==(const Tls&) const = default;
  };

  std::string unix_path;   // Empty for TCP.
  std::string host_port;   // Empty for a Unix socket.
  std::optional<Tls> tls;  // Over TCP alone.

  bool is_unix() const { return !unix_path.empty(); }
  // As DOCKER_HOST takes it.
  std::string ToString() const;
};

// `unix:///path` or `tcp://host:port`; INVALID_ARGUMENT for others says what to do instead.
absl::StatusOr<EngineEndpoint> ParseEngineEndpoint(std::string_view docker_host);

// The value of an environment variable, "" where it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string ProcessEnvironment(const char* name);

// The engine that Docker's own command line would use: `docker_host` where it is given, else
// DOCKER_HOST, else the context that DOCKER_CONTEXT or `currentContext` of config.json names, else
// unix:///var/run/docker.sock. With DOCKER_TLS_VERIFY, over TCP, TLS with the files ca.pem,
// cert.pem and key.pem of DOCKER_CERT_PATH. Source: docker(1), "Environment variables".
//
// INVALID_ARGUMENT names what is not understood, NOT_FOUND a context or a file that is missing.
absl::StatusOr<EngineEndpoint> ChooseEngineEndpoint(
    const std::string& docker_host, const Environment& environment = ProcessEnvironment);

}  // namespace gocomet::controlplane
