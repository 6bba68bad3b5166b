#include "controlplane/runtime/engine_streams.h"

#include <utility>

#include <curl/curl.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_errors.h"
#include "controlplane/runtime/engine_request.h"

namespace gocomet::controlplane {
namespace {

constexpr int kPollMilliseconds = 1000;  // How often each is asked whether it is late or wanted.
constexpr size_t kErrorBytesMax = 64 << 10;
constexpr long kStatusOk = 200;

absl::Status Cancelled() { return absl::CancelledError("the stream was closed"); }

}  // namespace

struct EngineStreams::Stream {
  uint64_t id = 0;
  Handlers handlers;
  std::string what;
  CurlEasy easy;
  SteadyTime open_by;
  bool open = false;
  std::string error_body;  // Of an answer other than 200.

  long http_status() const {
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  static size_t OnHeader(char* data, size_t, size_t bytes, void* self) {
    auto* stream = static_cast<Stream*>(self);
    // The blank line behind the headers.
    const bool last = std::string_view(data, bytes) == "\r\n";
    if (last && !stream->open && stream->http_status() == kStatusOk) {
      stream->open = true;
      if (stream->handlers.opened) stream->handlers.opened();
    }
    return bytes;
  }

  static size_t OnData(char* data, size_t, size_t bytes, void* self) {
    auto* stream = static_cast<Stream*>(self);
    if (stream->open) {
      stream->handlers.data({data, bytes});
    } else if (stream->error_body.size() < kErrorBytesMax) {
      stream->error_body.append(data, bytes);
    }
    return bytes;
  }
};

EngineStreams::EngineStreams(EngineEndpoint endpoint)
    : endpoint_(std::move(endpoint)), multi_(curl_multi_init()), thread_([this] { Run(); }) {}

EngineStreams::~EngineStreams() {
  End();
  curl_multi_cleanup(multi_);
}

void EngineStreams::End() {
  {
    const std::lock_guard hold(mutex_);
    ending_ = true;
  }
  if (!thread_.joinable()) return;
  curl_multi_wakeup(multi_);
  thread_.join();
}

void EngineStreams::Open(Request request, Handlers handlers) {
  {
    const std::lock_guard hold(mutex_);
    to_open_.push_back({std::move(request), std::move(handlers)});
  }
  curl_multi_wakeup(multi_);
}

void EngineStreams::Run() {
  while (TakeOrders()) {
    int running = 0;
    curl_multi_perform(multi_, &running);
    EndFinished();
    EndOverdueAndUnwanted();
    curl_multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr);
  }
  while (!streams_.empty()) EndOne(streams_.begin()->first, Cancelled());
}

bool EngineStreams::TakeOrders() {
  std::vector<Opening> to_open;
  bool ending = false;
  {
    const std::lock_guard hold(mutex_);
    to_open.swap(to_open_);
    ending = ending_;
  }
  for (Opening& opening : to_open) Add(std::move(opening));
  return !ending;
}

void EngineStreams::Add(Opening opening) {
  auto stream = std::make_unique<Stream>();
  stream->id = ++last_id_;
  stream->handlers = std::move(opening.handlers);
  stream->easy = NewEngineRequest(endpoint_, opening.request.path);
  stream->what = opening.request.what;
  stream->open_by = std::chrono::steady_clock::now() + opening.request.open_patience;
  if (streams_.size() >= kStreamsMax || stream->easy == nullptr) {
    return stream->handlers.ended(absl::ResourceExhaustedError(
        Cat("more than ", kStreamsMax,
            " streams of the Docker engine are open; end one and try again")));
  }
  CURL* easy = stream->easy.get();
  if (opening.request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, Stream::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, stream.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Stream::OnData);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, stream.get());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, stream.get());
  curl_multi_add_handle(multi_, easy);
  streams_.emplace(last_id_, std::move(stream));
}

void EngineStreams::EndFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Stream* stream = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &stream);
    long os_error = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_OS_ERRNO, &os_error);
    absl::Status status;
    if (code != CURLE_OK) {
      status = TransportError(endpoint_, code, os_error);
      // A missing socket is an engine that is away, not a thing that it does not know.
      if (absl::IsNotFound(status)) status = absl::UnavailableError(status.message());
    } else if (!stream->open) {
      status = ToStatus(static_cast<int>(stream->http_status()), stream->error_body, stream->what);
    }
    EndOne(stream->id, status);
  }
}

void EngineStreams::EndOverdueAndUnwanted() {
  const SteadyTime now = std::chrono::steady_clock::now();
  for (auto next = streams_.begin(); next != streams_.end();) {
    const Stream& stream = *(next++)->second;
    if (!stream.open && stream.open_by <= now) {
      EndOne(stream.id, TransportError(endpoint_, CURLE_OPERATION_TIMEDOUT, 0));
    } else if (!stream.handlers.wanted()) {
      EndOne(stream.id, Cancelled());
    }
  }
}

void EngineStreams::EndOne(uint64_t id, const absl::Status& status) {
  auto ended = streams_.extract(id);
  if (ended.empty()) return;
  curl_multi_remove_handle(multi_, ended.mapped()->easy.get());
  ended.mapped()->handlers.ended(status);
}

}  // namespace gocomet::controlplane
