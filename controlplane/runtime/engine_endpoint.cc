#include "controlplane/runtime/engine_endpoint.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/sha256_hex.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/json_fields.h"

namespace gocomet::controlplane {
namespace {

constexpr std::string_view kUnixScheme = "unix://";
constexpr std::string_view kTcpScheme = "tcp://";
constexpr std::string_view kSshScheme = "ssh://";
constexpr char kStandardHost[] = "unix:///var/run/docker.sock";
constexpr char kStandardContext[] = "default";

// Where Docker's command line keeps its settings: docker(1), DOCKER_CONFIG.
std::string SettingsDirectory(const Environment& environment) {
  std::string directory = environment("DOCKER_CONFIG");
  return directory.empty() ? Cat(environment("HOME"), "/.docker") : directory;
}

absl::Status CheckReadable(const std::string& path, std::string_view who_asks) {
  if (::access(path.c_str(), R_OK) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, Cat(who_asks, ": cannot read ", path));
}

absl::StatusOr<EngineEndpoint::Tls> TlsFilesIn(const std::string& directory,
                                               const std::string& who_asks) {
  EngineEndpoint::Tls tls;
  tls.authority_file = Cat(directory, "/ca.pem");
  tls.certificate_file = Cat(directory, "/cert.pem");
  tls.key_file = Cat(directory, "/key.pem");
  for (const std::string& file : {tls.authority_file, tls.certificate_file, tls.key_file}) {
    GOCOMET_RETURN_IF_ERROR(CheckReadable(file, who_asks));
  }
  return tls;
}

absl::StatusOr<EngineEndpoint> FromHost(const std::string& docker_host,
                                        const Environment& environment) {
  GOCOMET_ASSIGN_OR_RETURN(EngineEndpoint endpoint, ParseEngineEndpoint(docker_host));
  if (endpoint.is_unix()) return endpoint;
  if (environment("DOCKER_TLS_VERIFY").empty()) {
    if (environment("DOCKER_TLS").empty()) return endpoint;
    return absl::InvalidArgumentError(
        "DOCKER_TLS asks for TLS that does not check who answers; set DOCKER_TLS_VERIFY=1 instead");
  }
  std::string directory = environment("DOCKER_CERT_PATH");
  if (directory.empty()) directory = SettingsDirectory(environment);
  GOCOMET_ASSIGN_OR_RETURN(
      endpoint.tls,
      TlsFilesIn(directory, "DOCKER_TLS_VERIFY asks for TLS with the files of DOCKER_CERT_PATH"));
  return endpoint;
}

// "" for the default one.
absl::StatusOr<std::string> CurrentContext(const Environment& environment) {
  std::string name = environment("DOCKER_CONTEXT");
  if (name.empty()) {
    const std::string file = Cat(SettingsDirectory(environment), "/config.json");
    const auto text = ReadFile(file);
    if (!text.ok()) return "";  // Most people have none.
    const auto json = ParseJson(*text);
    if (!json.ok()) return WithContext(json.status(), Cat("cannot understand ", file));
    auto current = TextOf(*json, "currentContext");
    if (!current.ok()) return WithContext(current.status(), Cat("cannot understand ", file));
    name = *std::move(current);
  }
  return name == kStandardContext ? "" : name;
}

absl::StatusOr<EngineEndpoint> FromContext(const std::string& name,
                                           const Environment& environment) {
  const std::string contexts = Cat(SettingsDirectory(environment), "/contexts");
  const std::string digest = Sha256Hex(name);
  const std::string file = Cat(contexts, "/meta/", digest, "/meta.json");
  const auto text = ReadFile(file);
  if (!text.ok()) {
    return absl::NotFoundError(Cat("the Docker context '", name, "' does not exist (", file,
                                   "); see `docker context ls`, or set DOCKER_HOST"));
  }
  const std::string what = Cat("the Docker context '", name, "'");
  const auto json = ParseJson(*text);
  if (!json.ok()) return WithContext(json.status(), what);
  const Json& docker = Member(Member(*json, "Endpoints"), "docker");
  const auto host = TextOf(docker, "Host");
  if (!host.ok()) return WithContext(host.status(), what);
  auto endpoint = ParseEngineEndpoint(*host);
  if (!endpoint.ok()) return WithContext(endpoint.status(), what);
  const std::string tls_directory = Cat(contexts, "/tls/", digest, "/docker");
  if (!endpoint->is_unix() && ::access(tls_directory.c_str(), F_OK) == 0) {
    const auto skip = FlagOf(docker, "SkipTLSVerify");
    if (!skip.ok() || *skip) {
      return absl::InvalidArgumentError(
          Cat(what,
              " skips the check of the engine's certificate, which GoComet does not; make the"
              " context again without skip-tls-verify"));
    }
    GOCOMET_ASSIGN_OR_RETURN(endpoint->tls, TlsFilesIn(tls_directory, what));
  }
  return endpoint;
}

}  // namespace

std::string EngineEndpoint::ToString() const {
  return is_unix() ? Cat(kUnixScheme, unix_path) : Cat(kTcpScheme, host_port);
}

absl::StatusOr<EngineEndpoint> ParseEngineEndpoint(std::string_view docker_host) {
  EngineEndpoint endpoint;
  if (docker_host.starts_with(kUnixScheme)) {
    endpoint.unix_path = docker_host.substr(kUnixScheme.size());
    if (endpoint.unix_path.size() > 1 && endpoint.unix_path.front() == '/' &&
        endpoint.unix_path.size() <= kUnixPathBytesMax) {
      return endpoint;
    }
  } else if (docker_host.starts_with(kTcpScheme)) {
    endpoint.host_port = docker_host.substr(kTcpScheme.size());
    if (endpoint.host_port.find_first_of("/@ ?#") == std::string::npos &&
        endpoint.host_port.find(':') != std::string::npos) {
      return endpoint;
    }
  } else if (docker_host.starts_with(kSshScheme)) {
    return absl::InvalidArgumentError(
        Cat("the engine's address is '", docker_host,
            "', and GoComet does not speak SSH; forward the socket with `ssh -nNT -L "
            "/tmp/docker.sock:/var/run/docker.sock HOST` and set "
            "DOCKER_HOST=unix:///tmp/docker.sock, or run GoComet on that machine"));
  }
  return absl::InvalidArgumentError(
      Cat("the engine's address (DOCKER_HOST) is '", docker_host,
          "': expected unix:///absolute/path or tcp://host:port; others are not understood"));
}

std::string ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<EngineEndpoint> ChooseEngineEndpoint(const std::string& docker_host,
                                                    const Environment& environment) {
  const std::string host = docker_host.empty() ? environment("DOCKER_HOST") : docker_host;
  if (!host.empty()) return FromHost(host, environment);
  GOCOMET_ASSIGN_OR_RETURN(const std::string context, CurrentContext(environment));
  if (!context.empty()) return FromContext(context, environment);
  return ParseEngineEndpoint(kStandardHost);
}

}  // namespace gocomet::controlplane
