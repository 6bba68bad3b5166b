#include "controlplane/runtime/engine_client.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_errors.h"
#include "controlplane/runtime/docker_messages.h"
#include "controlplane/runtime/engine_request.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;

milliseconds LeftUntil(SteadyTime time) {
  return std::chrono::ceil<milliseconds>(time - std::chrono::steady_clock::now());
}

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

// A missing socket is an engine that is away, for all but the one who asks whether there is any; it
// must never be taken for a container that is missing.
absl::Status AsAway(const absl::Status& status) {
  return absl::IsNotFound(status) ? absl::UnavailableError(status.message()) : status;
}

}  // namespace

absl::Status TransportError(const EngineEndpoint& endpoint, int curl_code, long os_error) {
  const std::string where = endpoint.ToString();
  const auto code = static_cast<CURLcode>(curl_code);
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return absl::DeadlineExceededError(
        Cat("the Docker engine at ", where,
            " does not answer in time; look at its log, or start it anew"));
  }
  if (endpoint.is_unix() && code == CURLE_COULDNT_CONNECT) {
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
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
      code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CONNECT_ERROR) {
    return absl::UnavailableError(
        Cat("no TLS with the Docker engine at ", where, ": ", curl_easy_strerror(code),
            "; check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH, and that the engine's "
            "certificate names that host"));
  }
  return absl::UnavailableError(
      Cat("the Docker engine at ", where, " cannot be reached: ", curl_easy_strerror(code),
          os_error != 0 ? Cat(" (", std::strerror(static_cast<int>(os_error)), ")") : ""));
}

CurlEasy NewEngineRequest(const EngineEndpoint& endpoint, const std::string& path) {
  InitCurl();
  CurlEasy easy(curl_easy_init());
  if (easy == nullptr) return easy;
  const std::string host = endpoint.is_unix() ? "docker" : endpoint.host_port;
  if (endpoint.is_unix()) {
    curl_easy_setopt(easy.get(), CURLOPT_UNIX_SOCKET_PATH, endpoint.unix_path.c_str());
  }
  const std::string scheme = endpoint.tls ? "https" : "http";
  curl_easy_setopt(easy.get(), CURLOPT_URL, Cat(scheme, "://", host, path).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, scheme.c_str());
  if (endpoint.tls) {
    curl_easy_setopt(easy.get(), CURLOPT_CAINFO, endpoint.tls->authority_file.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_SSLCERT, endpoint.tls->certificate_file.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_SSLKEY, endpoint.tls->key_file.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  }
  curl_easy_setopt(easy.get(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, long{kConnectPatience.count()});
  return easy;
}

EngineClient::EngineClient(EngineEndpoint endpoint, milliseconds patience)
    : endpoint_(std::move(endpoint)), patience_(patience) {}

absl::StatusOr<EngineAnswer> EngineClient::Exchange(const std::string& method,
                                                    const std::string& path, std::string_view body,
                                                    const std::string& content_type,
                                                    milliseconds patience) const {
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
                                                milliseconds patience) const {
  const SteadyTime give_up_at = std::chrono::steady_clock::now() + patience;
  GOCOMET_ASSIGN_OR_RETURN(const std::string path, Versioned(target, patience));
  const milliseconds left = LeftUntil(give_up_at);
  if (left.count() <= 0) return AsAway(TransportError(endpoint_, CURLE_OPERATION_TIMEDOUT, 0));
  auto answer = Exchange(method, path, body, content_type, left);
  if (answer.ok()) return answer;
  ForgetVersion();
  return AsAway(answer.status());
}

absl::StatusOr<EngineVersion> EngineClient::AskVersion(milliseconds patience) const {
  GOCOMET_ASSIGN_OR_RETURN(const EngineAnswer answer,
                           Exchange("GET", "/version", "", "", patience));
  if (!answer.ok()) return ToStatus(answer.status, answer.body, "ask for the engine's version");
  auto version = ParseEngineVersion(answer.body);
  if (version.ok()) return version;
  return absl::InternalError(Cat("what answers at ", endpoint_.ToString(),
                                 " is not a Docker engine: ", MessageOf(version.status())));
}

// One asks; who comes meanwhile takes the answer that comes, an error too: so those who wait for an
// engine that hangs do not wait one after the other.
absl::StatusOr<std::string> EngineClient::Versioned(const std::string& target,
                                                    milliseconds patience) const {
  std::unique_lock hold(mutex_);
  if (!known_ && asking_) {
    const uint64_t seen = answers_;
    if (!answered_.wait_for(hold, patience, [&] { return answers_ != seen; })) {
      return TransportError(endpoint_, CURLE_OPERATION_TIMEDOUT, 0);
    }
  } else if (!known_) {
    asking_ = true;
    hold.unlock();
    const auto engine = AskVersion(patience);
    auto version = engine.ok() ? NegotiateApiVersion(*engine) : AsAway(engine.status());
    hold.lock();
    version_ = std::move(version);
    known_ = version_.ok();
    asking_ = false;
    ++answers_;
    answered_.notify_all();
  }
  GOCOMET_RETURN_IF_ERROR(version_.status());
  return Cat("/v", *version_, target);
}

void EngineClient::ForgetVersion() const {
  const std::lock_guard hold(mutex_);
  known_ = false;
}

absl::StatusOr<std::string> EngineClient::Describe() const {
  GOCOMET_ASSIGN_OR_RETURN(const EngineVersion engine, AskVersion(patience_));
  GOCOMET_RETURN_IF_ERROR(NegotiateApiVersion(engine).status());
  return Cat("Docker ", engine.name, " at ", endpoint_.ToString());
}

absl::StatusOr<EngineAnswer> EngineCalls::Call(const std::string& method, const std::string& target,
                                               std::string_view body,
                                               const std::string& content_type) const {
  const milliseconds left = LeftUntil(give_up_at_);
  if (left.count() <= 0) {
    return absl::DeadlineExceededError(
        Cat("the Docker engine at ", engine_.endpoint().ToString(),
            " is too slow: the time for this call has passed; look at its load and its log"));
  }
  return engine_.Call(method, target, body, content_type, std::min(left, engine_.patience()));
}

}  // namespace gocomet::controlplane
