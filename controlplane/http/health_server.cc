#include "controlplane/http/health_server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "common/base/address.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"
#include "controlplane/http/tls_context.h"

namespace gocomet::controlplane {
namespace {

constexpr int kRequestSecondsMax = 10;
constexpr ev_ssize_t kHeadBytesMax = 16 * 1024;

void Answer(evhttp_request* request, int status, const char* reason, std::string_view body) {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
  evhttp_add_header(headers, "Cache-Control", "no-store");
  evbuffer_add(evhttp_request_get_output_buffer(request), body.data(), body.size());
  evhttp_send_reply(request, status, reason, nullptr);
}

}  // namespace

class HealthServer::Loop {
 public:
  explicit Loop(std::function<bool()> ready) : ready_(std::move(ready)) {}

  ~Loop() {
    if (thread_.joinable()) {
      const uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(stop_fd_.get(), &one, sizeof(one));
      thread_.join();
    }
    if (stop_event_ != nullptr) event_free(stop_event_);
    if (http_ != nullptr) evhttp_free(http_);
    if (base_ != nullptr) event_base_free(base_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  absl::Status Start(const std::string& text, const TlsFiles& tls) {
    if (tls.enabled()) {
      GOCOMET_ASSIGN_OR_RETURN(auto context, TlsContext::Open(tls));
      tls_.emplace(std::move(context));
    }
    GOCOMET_ASSIGN_OR_RETURN(const Address wanted, Address::Parse(text));
    GOCOMET_RETURN_IF_ERROR(CheckAddressIsFree(wanted));
    base_ = event_base_new();
    http_ = evhttp_new(base_);
    evhttp_set_allowed_methods(http_, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_timeout(http_, kRequestSecondsMax);
    evhttp_set_max_headers_size(http_, kHeadBytesMax);
    evhttp_set_max_body_size(http_, 0);
    evhttp_set_gencb(http_, &Loop::OnRequest, this);
    if (tls_) evhttp_set_bevcb(http_, &Loop::OnConnection, this);
    evhttp_bound_socket* bound =
        evhttp_bind_socket_with_handle(http_, wanted.host().c_str(), wanted.port());
    if (bound == nullptr) return absl::ErrnoToStatus(errno, Cat("cannot serve HTTP on ", text));
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    ::getsockname(evhttp_bound_socket_get_fd(bound), reinterpret_cast<sockaddr*>(&storage),
                  &length);
    // Both families keep the port at the same place.
    const uint16_t port = ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
    GOCOMET_ASSIGN_OR_RETURN(address_, Address::FromIpAndPort(wanted.host(), port));
    stop_fd_.Reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    stop_event_ = event_new(base_, stop_fd_.get(), EV_READ, &Loop::OnStop, base_);
    event_add(stop_event_, nullptr);
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "http");
      event_base_dispatch(base_);
    });
    return absl::OkStatus();
  }

  std::string address() const { return address_.ToString(); }

 private:
  static void OnStop(evutil_socket_t, short, void* base) {
    event_base_loopbreak(static_cast<event_base*>(base));
  }

  // Without a bufferevent of ours it would make one that speaks in the clear.
  static bufferevent* OnConnection(event_base* base, void* self) {
    return bufferevent_openssl_socket_new(base, -1, static_cast<Loop*>(self)->tls_->NewConnection(),
                                          BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  }

  static void OnRequest(evhttp_request* request, void* self) {
    const char* raw = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    const std::string_view path = raw == nullptr ? "" : raw;
    if (path == "/healthz") return Answer(request, 200, "OK", "ok\n");
    if (path == "/readyz") {
      if (static_cast<Loop*>(self)->ready_()) return Answer(request, 200, "OK", "ready\n");
      return Answer(request, 503, "Service Unavailable",
                    "not ready: `gocometctl status` says what is missing\n");
    }
    Answer(request, 404, "Not Found", "GoComet control plane: /healthz, /readyz\n");
  }

  const std::function<bool()> ready_;
  std::optional<TlsContext> tls_;  // The server's thread only, once it runs.
  event_base* base_ = nullptr;
  evhttp* http_ = nullptr;
  event* stop_event_ = nullptr;
  UniqueFd stop_fd_;
  Address address_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<HealthServer>> HealthServer::Start(const std::string& address,
                                                                  const TlsFiles& tls,
                                                                  std::function<bool()> ready) {
  auto loop = std::make_unique<Loop>(std::move(ready));
  GOCOMET_RETURN_IF_ERROR(loop->Start(address, tls));
  return std::unique_ptr<HealthServer>(new HealthServer(std::move(loop)));
}

HealthServer::HealthServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HealthServer::~HealthServer() = default;
std::string HealthServer::address() const { return loop_->address(); }

}  // namespace gocomet::controlplane
