#include "controlplane/runtime/engine_client.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/base/address.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_messages.h"
#include "controlplane/runtime/engine_request.h"

namespace gocomet::controlplane {
namespace {

constexpr std::string_view kUnixScheme = "unix://";
constexpr std::string_view kTcpScheme = "tcp://";
constexpr char kStandardHost[] = "unix:///var/run/docker.sock";

struct CurlListCleanup {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

size_t AppendBody(char* data, size_t, size_t bytes, void* into) {
  auto* body = static_cast<std::string*>(into);
  if (body->size() + bytes > EngineClient::kAnswerBytesMax) return 0;
  body->append(data, bytes);
  return bytes;
}

void InitCurl() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)once;
}

}  // namespace

std::string EngineEndpoint::ToString() const {
  return is_local() ? Cat(kUnixScheme, unix_path) : Cat(kTcpScheme, host_port);
}

absl::StatusOr<EngineEndpoint> ParseEngineEndpoint(std::string_view docker_host) {
  EngineEndpoint endpoint;
  if (docker_host.substr(0, kUnixScheme.size()) == kUnixScheme) {
    endpoint.unix_path = docker_host.substr(kUnixScheme.size());
    if (endpoint.unix_path.size() > 1 && endpoint.unix_path.front() == '/' &&
        endpoint.unix_path.size() <= kUnixPathBytesMax) {
      return endpoint;
    }
  } else if (docker_host.substr(0, kTcpScheme.size()) == kTcpScheme) {
    endpoint.host_port = docker_host.substr(kTcpScheme.size());
    if (endpoint.host_port.find_first_of("/@ ?#") == std::string::npos &&
        endpoint.host_port.find(':') != std::string::npos) {
      return endpoint;
    }
  }
  return absl::InvalidArgumentError(
      Cat("DOCKER_HOST is '", docker_host,
          "': expected unix:///absolute/path or tcp://host:port; others are not understood"));
}

absl::StatusOr<EngineEndpoint> ChooseEngineEndpoint(const std::string& docker_host) {
  if (!docker_host.empty()) return ParseEngineEndpoint(docker_host);
  const char* from_environment = std::getenv("DOCKER_HOST");
  const bool given = from_environment != nullptr && *from_environment != '\0';
  const char* verify = std::getenv("DOCKER_TLS_VERIFY");
  GOCOMET_ASSIGN_OR_RETURN(EngineEndpoint endpoint,
                           ParseEngineEndpoint(given ? from_environment : kStandardHost));
  if (!endpoint.is_local() && verify != nullptr && *verify != '\0') {
    return absl::InvalidArgumentError(
        Cat("DOCKER_TLS_VERIFY asks for TLS to ", endpoint.ToString(),
            ", which GoComet does not speak; use the engine's Unix socket"));
  }
  return endpoint;
}

absl::Status TransportError(const EngineEndpoint& endpoint, int curl_code, long os_error) {
  const std::string where = endpoint.ToString();
  const auto code = static_cast<CURLcode>(curl_code);
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return absl::DeadlineExceededError(
        Cat("the Docker engine at ", where,
            " does not answer in time; look at its log, or start it anew"));
  }
  if (endpoint.is_local() && code == CURLE_COULDNT_CONNECT) {
    const int error =
        ::access(endpoint.unix_path.c_str(), F_OK) == 0 ? static_cast<int>(os_error) : errno;
    if (error == EACCES || error == EPERM) {
      return absl::PermissionDeniedError(
          Cat("permission denied at the Docker engine's socket ", endpoint.unix_path,
              "; add your user to the group `docker` and log in again, or run as root"));
    }
    if (error == ENOENT || error == ENOTDIR) {
      return absl::NotFoundError(
          Cat("there is no Docker engine: ", endpoint.unix_path,
              " does not exist; start the engine, or set DOCKER_HOST to where it listens"));
    }
    return absl::UnavailableError(Cat("no Docker engine listens on ", endpoint.unix_path,
                                      "; start it, or set DOCKER_HOST to where it listens"));
  }
  return absl::UnavailableError(
      Cat("the Docker engine at ", where, " cannot be reached: ", curl_easy_strerror(code),
          os_error != 0 ? Cat(" (", std::strerror(static_cast<int>(os_error)), ")") : ""));
}

CurlEasy NewEngineRequest(const EngineEndpoint& endpoint, const std::string& path) {
  InitCurl();
  CurlEasy easy(curl_easy_init());
  if (easy == nullptr) return easy;
  const std::string host = endpoint.is_local() ? "docker" : endpoint.host_port;
  if (endpoint.is_local()) {
    curl_easy_setopt(easy.get(), CURLOPT_UNIX_SOCKET_PATH, endpoint.unix_path.c_str());
  }
  curl_easy_setopt(easy.get(), CURLOPT_URL, Cat("http://", host, path).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(easy.get(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, long{kConnectPatience.count()});
  return easy;
}

EngineClient::EngineClient(EngineEndpoint endpoint, std::chrono::milliseconds patience)
    : endpoint_(std::move(endpoint)), patience_(patience) {}

absl::StatusOr<EngineAnswer> EngineClient::Exchange(const std::string& method,
                                                    const std::string& path, std::string_view body,
                                                    const std::string& content_type,
                                                    std::chrono::milliseconds patience) const {
  const CurlEasy easy = NewEngineRequest(endpoint_, path);
  if (easy == nullptr) return absl::ResourceExhaustedError("out of memory for a Docker call");
  // No waiting for leave to send the body, which would cost a second where none is given.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  if (!content_type.empty()) {
    list = curl_slist_append(list, Cat("Content-Type: ", content_type).c_str());
  }
  const std::unique_ptr<curl_slist, CurlListCleanup> headers(list);
  EngineAnswer answer;
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  if (method != "GET") curl_easy_setopt(easy.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
  if (method == "POST") {
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body.data() == nullptr ? "" : body.data());
  }
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(patience.count()));
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, AppendBody);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer.body);
  if (const CURLcode code = curl_easy_perform(easy.get()); code != CURLE_OK) {
    long os_error = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_OS_ERRNO, &os_error);
    return TransportError(endpoint_, code, os_error);
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

absl::StatusOr<EngineAnswer> EngineClient::Call(const std::string& method,
                                                const std::string& target, std::string_view body,
                                                const std::string& content_type,
                                                std::chrono::milliseconds patience) const {
  GOCOMET_ASSIGN_OR_RETURN(const std::string path, Versioned(target));
  auto answer = Exchange(method, path, body, content_type, patience);
  if (!answer.ok()) ForgetVersion();
  return answer;
}

absl::StatusOr<EngineVersion> EngineClient::AskVersion() const {
  GOCOMET_ASSIGN_OR_RETURN(const EngineAnswer answer,
                           Exchange("GET", "/version", "", "", patience_));
  if (!answer.ok()) return ToStatus(answer.status, answer.body, "ask for the engine's version");
  auto version = ParseEngineVersion(answer.body);
  if (version.ok()) return version;
  return absl::InternalError(Cat("what answers at ", endpoint_.ToString(),
                                 " is not a Docker engine: ", MessageOf(version.status())));
}

absl::StatusOr<std::string> EngineClient::Versioned(const std::string& target) const {
  const std::lock_guard hold(mutex_);  // One asks; who comes meanwhile waits for that answer.
  if (version_.empty()) {
    GOCOMET_ASSIGN_OR_RETURN(const EngineVersion engine, AskVersion());
    GOCOMET_ASSIGN_OR_RETURN(version_, NegotiateApiVersion(engine));
  }
  return Cat("/v", version_, target);
}

void EngineClient::ForgetVersion() const {
  const std::lock_guard hold(mutex_);
  version_.clear();
}

absl::StatusOr<std::string> EngineClient::Describe() const {
  GOCOMET_ASSIGN_OR_RETURN(const EngineVersion engine, AskVersion());
  GOCOMET_RETURN_IF_ERROR(NegotiateApiVersion(engine).status());
  return Cat("Docker ", engine.name, " at ", endpoint_.ToString());
}

}  // namespace gocomet::controlplane
