#include "worker/http_server.h"

#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <nlohmann/json.hpp>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "worker/listen_socket.h"

namespace gocomet::worker {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";

// No request of this interface has a body; what comes is read and dropped up to this.
constexpr ev_ssize_t kBodyBytesMax = 1 << 20;
constexpr ev_ssize_t kHeadBytesMax = 64 << 10;
// Longer than balancers keep an idle connection, so that they are the ones to close it.
constexpr int kIdleSeconds = 600;
// After the last answer while draining: requests that were on their way get theirs too.
constexpr std::chrono::milliseconds kQuietBeforeDrained{50};
// Pause of the loop after each connection that could not be accepted.
constexpr std::chrono::milliseconds kAcceptPause{1};

constexpr int kAllMethods = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                            EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH;

std::string HelloBody(const std::string& worker_id) {
  const nlohmann::ordered_json body = {{"message", "hello from container: " + worker_id}};
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string_view PathOf(const evhttp_request* request) {
  const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
  const char* path = uri == nullptr ? nullptr : evhttp_uri_get_path(uri);
  return path == nullptr ? "" : path;
}

const char* ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Internal Server Error";
  }
}

void AddHeader(evhttp_request* request, const char* name, const std::string& value) {
  evhttp_add_header(evhttp_request_get_output_headers(request), name, value.c_str());
}

}  // namespace

// A request that waits for its answer. evhttp takes the request off its connection when the client
// goes away, and the request stays valid until it is answered.
class HttpServer::Exchange {
 public:
  using List = std::list<std::unique_ptr<Exchange>>;
  using Finish = std::function<void(evhttp_request*)>;

  // Adds itself to `open` and leaves it at its answer.
  static Exchange& Open(List& open, evhttp_request* request, Finish finish) {
    open.push_front(std::unique_ptr<Exchange>(new Exchange(open, request, std::move(finish))));
    open.front()->place_ = open.begin();
    return *open.front();
  }

  ~Exchange() {
    // A request without a connection belongs to nobody else.
    if (request_ != nullptr && evhttp_request_get_connection(request_) == nullptr) {
      evhttp_request_free(request_);
    }
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void FinishAfter(const EventLoop& loop, std::chrono::microseconds delay) {
    timer_.emplace(loop, [this] { FinishNow(); });
    timer_->Start(delay);
  }

  void FinishNow() {
    const std::unique_ptr<Exchange> self = std::move(*place_);
    open_.erase(place_);
    finish_(std::exchange(request_, nullptr));
  }

 private:
  Exchange(List& open, evhttp_request* request, Finish finish)
      : open_(open), request_(request), finish_(std::move(finish)) {}

  List& open_;
  List::iterator place_;
  evhttp_request* request_;
  const Finish finish_;
  std::optional<Timer> timer_;
};

HttpServer::HttpServer(EventLoop& loop, std::string worker_id, uint64_t seed, Settings settings,
                       Counters& counters, StatsDesk& stats)
    : loop_(loop),
      worker_id_(std::move(worker_id)),
      hello_body_(HelloBody(worker_id_)),
      behaviour_(seed),
      settings_(settings),
      counters_(counters),
      stats_(stats),
      http_(evhttp_new(loop.base())),
      drain_timer_(loop, [this] { CheckDrained(); }) {
  evhttp_set_allowed_methods(http_, kAllMethods);
  evhttp_set_max_headers_size(http_, kHeadBytesMax);
  evhttp_set_max_body_size(http_, kBodyBytesMax);
  evhttp_set_timeout(http_, kIdleSeconds);
  evhttp_set_gencb(
      http_,
      [](evhttp_request* request, void* self) {
        static_cast<HttpServer*>(self)->OnRequest(request);
      },
      this);
}

HttpServer::~HttpServer() {
  exchanges_.clear();
  evhttp_free(http_);
}

absl::StatusOr<Address> HttpServer::Listen(const Address& address) {
  GOCOMET_ASSIGN_OR_RETURN(UniqueFd socket, ListenOn(address));
  GOCOMET_ASSIGN_OR_RETURN(const Address bound, BoundAddress(socket));
  evhttp_bound_socket* listener = evhttp_accept_socket_with_handle(http_, socket.get());
  if (listener == nullptr) {
    return absl::ResourceExhaustedError(Cat("cannot accept connections on ", bound.ToString()));
  }
  socket.Release();
  listeners_.push_back(listener);
  // Without descriptors the listener stays readable, and the loop would spin.
  evconnlistener_set_error_cb(
      evhttp_bound_socket_get_listener(listener),
      [](evconnlistener*, void*) { std::this_thread::sleep_for(kAcceptPause); });
  return bound;
}

void HttpServer::OnRequest(evhttp_request* request) {
  const SteadyTime read_at = std::chrono::steady_clock::now();
  const std::string_view path = PathOf(request);
  const bool hello = path == "/api/v1/hello";
  const bool stats = path == "/worker/stats";
  if (!hello && !stats && path != "/healthz") {
    return Answer(request, 404, kText, "there is nothing at this path\n");
  }
  const evhttp_cmd_type method = evhttp_request_get_command(request);
  if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
    AddHeader(request, "Allow", "GET, HEAD");
    return Answer(request, 405, kText, "only GET and HEAD are answered here\n");
  }
  if (hello) return AnswerHello(request, read_at);
  if (stats) return AnswerStats(request);
  Answer(request, 200, kText, "ok\n");
}

void HttpServer::AnswerHello(evhttp_request* request, SteadyTime read_at) {
  const Outcome outcome = behaviour_.Next(settings_);
  auto finish = [this, read_at, fails = outcome.fails](evhttp_request* waiting) {
    counters_.Record(!fails, std::chrono::duration_cast<std::chrono::microseconds>(
                                 std::chrono::steady_clock::now() - read_at));
    if (fails) {
      Answer(waiting, 500, kText, "Randomized Server Error");
    } else {
      Answer(waiting, 200, kJson, hello_body_);
    }
  };
  if (outcome.delay.count() == 0) return finish(request);
  Exchange::Open(exchanges_, request, std::move(finish)).FinishAfter(loop_, outcome.delay);
}

void HttpServer::AnswerStats(evhttp_request* request) {
  // The reply may come before Request returns, or once the client is gone.
  auto answer = std::make_shared<StatsAnswer>();
  Exchange& exchange = Exchange::Open(exchanges_, request, [this, answer](evhttp_request* waiting) {
    AddHeader(waiting, "X-GoComet-Stats-Age-Ms",
              answer->age ? std::to_string(answer->age->count()) : "unknown");
    Answer(waiting, 200, kJson, answer->json);
  });
  stats_.Request([&exchange, answer](const StatsAnswer& got) {
    *answer = got;
    exchange.FinishNow();
  });
}

void HttpServer::Answer(evhttp_request* request, int status, std::string_view content_type,
                        std::string_view body) {
  AddHeader(request, "Content-Type", std::string(content_type));
  AddHeader(request, "Content-Length", std::to_string(body.size()));
  if (drained_) AddHeader(request, "Connection", "close");
  if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
    evbuffer_add(evhttp_request_get_output_buffer(request), body.data(), body.size());
  }
  if (evhttp_connection* connection = evhttp_request_get_connection(request)) {
    writing_.insert(connection);
    evhttp_connection_set_closecb(
        connection,
        [](evhttp_connection* closed, void* self) {
          static_cast<HttpServer*>(self)->OnConnectionDone(closed);
        },
        this);
    evhttp_request_set_on_complete_cb(
        request,
        [](evhttp_request* sent, void* self) {
          static_cast<HttpServer*>(self)->OnConnectionDone(evhttp_request_get_connection(sent));
        },
        this);
  }
  evhttp_send_reply(request, status, ReasonPhrase(status), nullptr);
}

void HttpServer::OnConnectionDone(evhttp_connection* connection) { writing_.erase(connection); }

void HttpServer::Drain(std::function<void()> drained) {
  drained_ = std::move(drained);
  for (evhttp_bound_socket* listener : listeners_) evhttp_del_accept_socket(http_, listener);
  listeners_.clear();
  drain_timer_.Start(kQuietBeforeDrained);
}

void HttpServer::CheckDrained() {
  if (exchanges_.empty() && writing_.empty()) return drained_();
  drain_timer_.Start(kQuietBeforeDrained);
}

}  // namespace gocomet::worker
