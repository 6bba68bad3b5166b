// The worker's side of a session: choosing one, sending the request, taking the answer.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dataplane/proxy/rewrite.h"
#include "dataplane/proxy/session.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {
namespace {

constexpr char kNoWorker[] = "No healthy server found";
// Below this a pipe's calls cost more than the copies that they spare.
constexpr uint64_t kSpliceBytesMin = 32 * 1024;
constexpr size_t kInterimBytesMax = 64 * 1024;

// The worker is not to blame for these.
bool OwnLimitReached(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

}  // namespace

void Session::Dispatch() {
  while (true) {
    ++attempts_;
    const EndpointPointer endpoint =
        shard_.table().Pick({.key_hash = key_hash_, .random = shard_.NextRandom()}, tried_);
    if (!endpoint) return Refuse(503, "no_healthy_worker", kNoWorker, true);
    connected_ = true;
    upstream_ = shard_.upstreams().Take(endpoint);
    if (!upstream_) {
      upstream_ = Upstream::Connect(shard_.base(), endpoint);
      connected_ = upstream_ && upstream_->connected_at_once();
    }
    if (upstream_) break;
    if (OwnLimitReached(errno)) {
      return Refuse(503, "out_of_descriptors", "the balancer has no descriptor left", true);
    }
    shard_.ConnectFailed(endpoint, errno);
    lost_worker_ = endpoint;
    lost_was_reused_ = false;
    tried_.push_back(endpoint);
    if (attempts_ > shard_.limits().retries_max || !shard_.SpendRetry()) {
      return Refuse(503, "connect_failed", kNoWorker, true);
    }
    Count(endpoint->retried);
    trace_.TryAgain(Shard::PreciseNow());
  }
  Count(upstream_->endpoint()->in_flight);
  upstream_->set_user(this);
  head_sent_ = body_sent_ = 0;
  answer_seen_ = 0;
  answer_scanned_ = 0;
  worker_readable_ = worker_closing_ = worker_ended_ = false;
  worker_writable_ = connected_;
  SetDeadline(connected_ ? TimeToAnswer() : shard_.limits().connect_timeout);
}

std::chrono::milliseconds Session::TimeToAnswer() const {
  return request_body_.done() ? shard_.limits().response_timeout : shard_.limits().body_timeout;
}

// Whether the connection that was under way has come to be; deals with its failure.
bool Session::FinishConnecting() {
  int error = 0;
  socklen_t length = sizeof(error);
  ::getsockopt(upstream_->fd(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) {
    WorkerLost("connect_failed", error);
    return false;
  }
  connected_ = true;
  SetDeadline(TimeToAnswer());
  return true;
}

// Reads what the client sends of the body, as far as there is room.
bool Session::ScanRequestBody() {
  if (request_body_.done()) return false;
  if (in_.full() && body_sent_ > 0) {
    in_.Consume(body_sent_);
    body_scanned_ -= body_sent_;
    body_sent_ = 0;
    body_dropped_ = true;
  }
  const bool read = ReadClient();
  if (phase_ != Phase::kExchange) return false;
  const size_t scanned = request_body_.Scan(in_.view().substr(body_scanned_));
  body_scanned_ += scanned;
  trace_.ReadFromClient(scanned);
  if (request_body_.bad()) {
    if (answer_begun_) {
      Close("chunked_body");
    } else {
      Refuse(400, "chunked_body", "the chunked body is malformed");
    }
    return false;
  }
  if (client_ended_ && !request_body_.done()) {
    Close();  // The client is gone; the worker learns it at once.
    return false;
  }
  body_came_ += scanned;
  if (scanned > 0) AwaitMoreBody();
  return read || scanned > 0;
}

// Some progress is asked of a body at any time, and a rate over all of it. The rate is an account:
// every byte buys time, on top of body_timeout to begin with. While the worker takes nothing, the
// client cannot send, and the account begins anew.
void Session::AwaitMoreBody() {
  const Limits& limits = shard_.limits();
  SetDeadline(limits.body_timeout);
  if (limits.body_rate_min == 0 || request_body_.done()) return;
  if (in_.full()) {
    body_began_ = shard_.Now();
    body_came_ = 0;
    return;
  }
  const std::chrono::milliseconds bought(body_came_ * 1000 / limits.body_rate_min);
  const auto paid_until = body_began_ + limits.body_timeout + bought;
  if (paid_until >= deadline_) return;
  deadline_ = paid_until;
  shard_.SetDeadline(*this, deadline_);
}

bool Session::WriteWorker() {
  if (!upstream_) return false;
  // Where it failed, another worker has the request now, and no event may tell that it can be sent.
  if (!connected_ && (worker_writable_ || worker_readable_) && !FinishConnecting()) return true;
  if (!connected_ || !worker_writable_) return false;
  const std::string_view head = request_head_.view().substr(head_sent_);
  const std::string_view body = in_.view().substr(body_sent_, body_scanned_ - body_sent_);
  if (head.empty() && body.empty()) return false;
  iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                    {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = head.empty() ? parts + 1 : parts;
  message.msg_iovlen = (head.empty() ? 0 : 1) + (body.empty() ? 0 : 1);
  const ssize_t written = ::sendmsg(upstream_->fd(), &message, MSG_NOSIGNAL);
  if (written < 0) {
    if (errno == EINTR) return true;
    worker_writable_ = false;
    if (errno == EAGAIN && upstream_->AwaitWritable()) return false;
    // It may have answered before it closed: what it said is read first.
    worker_readable_ = true;
    return true;
  }
  const auto bytes = static_cast<size_t>(written);
  trace_.WroteToWorker(Shard::PreciseNow());
  if (bytes < head.size() + body.size()) {
    worker_writable_ = false;
    if (!upstream_->AwaitWritable()) worker_readable_ = true;
  }
  Count(upstream_->endpoint()->bytes_to_worker, bytes);
  const size_t of_head = std::min(bytes, head.size());
  head_sent_ += of_head;
  body_sent_ += bytes - of_head;
  // From here on the worker is waited for, however slowly the body came.
  if (bytes > of_head && request_body_.done() && !answer_begun_) {
    SetDeadline(shard_.limits().response_timeout);
  }
  return true;
}

bool Session::ReadWorker() {
  if (!upstream_ || !connected_ || !worker_readable_ || worker_ended_ || out_.full()) return false;
  if (MaySplice()) return SpliceFromWorker();
  size_t room = 0;
  char* to = out_.Room(room);
  const ssize_t got = ::recv(upstream_->fd(), to, room, 0);
  if (got > 0) {
    out_.Added(static_cast<size_t>(got));
    if (!trace_.answered()) trace_.ReadFromWorker(Shard::PreciseNow());
    Count(upstream_->endpoint()->bytes_from_worker, static_cast<uint64_t>(got));
    if (static_cast<size_t>(got) < room && !worker_closing_) worker_readable_ = false;
    return true;
  }
  if (out_.empty()) out_.Clear();
  if (got < 0 && errno == EINTR) return true;
  worker_readable_ = false;
  if (got < 0 && errno == EAGAIN) return false;
  WorkerEnded(got < 0);
  return true;
}

void Session::WorkerEnded(bool broken) {
  worker_ended_ = true;
  if (!answer_begun_ && out_.empty()) {
    WorkerLost("connection_lost");
  } else if (answer_begun_ && (broken || !answer_body_.until_close()) && !answer_body_.done()) {
    // Half an answer must not look like a whole one.
    shard_.ConnectionBroke(upstream_->endpoint());
    Close("connection_lost");
  }
}

bool Session::MaySplice() {
  if (pipe_) return true;
  if (!answer_begun_ || !out_.empty() || answer_body_.left_of_length() < kSpliceBytesMin) {
    return false;
  }
  pipe_ = shard_.pipes().Take();
  return pipe_ != nullptr;
}

bool Session::SpliceFromWorker() {
  const uint64_t left = answer_body_.left_of_length();
  if (left == 0 || pipe_->full()) return false;
  const ssize_t got = pipe_->Fill(upstream_->fd(), left);
  if (got > 0) {
    answer_body_.Skip(static_cast<uint64_t>(got));
    Count(upstream_->endpoint()->bytes_from_worker, static_cast<uint64_t>(got));
    return true;
  }
  if (got < 0 && errno == EINTR) return true;
  if (pipe_->full()) return false;
  worker_readable_ = false;
  if (got < 0 && errno == EAGAIN) return false;
  WorkerEnded(got < 0);
  return true;
}

bool Session::ReadAnswerHead() {
  if (answer_begun_ || !upstream_ || out_.empty()) return false;
  if (own_out_.size() > kInterimBytesMax) return false;
  if (out_.size() == answer_seen_ && !worker_ended_) return false;
  http::ResponseHead head;
  const http::HeadResult result =
      http::ParseResponseHead(out_.view(), answer_seen_, shard_.limits().head, head);
  switch (result.state) {
    case http::Parse::kMore:
      answer_seen_ = out_.size();
      if (worker_ended_) WorkerLost("connection_lost");
      return false;
    case http::Parse::kBad:
      Refuse(502, result.fault.reason, "the worker's answer is not valid HTTP");
      return true;
    case http::Parse::kDone:
      return TakeAnswerHead(head, result.consumed);
  }
  return false;
}

bool Session::TakeAnswerHead(const http::ResponseHead& head, size_t consumed) {
  answer_seen_ = 0;
  if (head.status == 101 && wants_upgrade_) {
    AppendResponseHead(head,
                       {.keep_alive = true,
                        .client_minor_version = 1,
                        .upgrade = true,
                        .via = shard_.forwarding().via},
                       own_out_.text());
    Count(upstream_->endpoint()->answered);
    Count(upstream_->endpoint()->by_status_class[0]);
    out_.Consume(consumed);
    answer_begun_ = true;
    answer_status_ = head.status;
    answer_body_ = http::BodyScanner(http::Framing{.kind = http::BodyKind::kUntilClose});
    phase_ = Phase::kTunnel;
    SetDeadline(shard_.limits().tunnel_timeout);
    return true;
  }
  if (head.status == 101) {
    Refuse(502, "unasked_upgrade", "the worker switched to a protocol that nobody asked for");
    return true;
  }
  if (head.status / 100 == 1) {
    interim_begun_ = true;
    if (minor_version_ == 1)
      AppendResponseHead(head, {.via = shard_.forwarding().via}, own_out_.text());
    out_.Consume(consumed);
    if (out_.empty()) trace_.ForgetInterimAnswer();
    return true;
  }
  const http::Framing framing = http::ResponseFraming(head, is_head_ ? "HEAD" : "");
  if (!framing.ok) {
    Refuse(502, framing.fault.reason, "the worker's answer is not valid HTTP");
    return true;
  }
  answer_unchunked_ = framing.kind == http::BodyKind::kChunked && minor_version_ == 0;
  Endpoint& endpoint = *upstream_->endpoint();
  Count(endpoint.answered);
  Count(endpoint.by_status_class[head.status / 100 > 5 ? 4 : head.status / 100 - 1]);
  answer_begun_ = true;
  answer_status_ = head.status;
  answer_body_ = http::BodyScanner(framing);
  const http::ConnectionOptions options = http::ReadConnectionOptions(head.fields);
  answer_reusable_ = http::Persists(options, head.minor_version) && !answer_body_.until_close();
  // A body that ends with its connection can only be told to the client in the same way; and a
  // request that is not read to its end leaves nothing that a next one could begin at.
  const bool ends_with_connection = answer_body_.until_close() || answer_unchunked_;
  keep_alive_ = keep_alive_ && !ends_with_connection && !IsLastAnswer();
  AppendResponseHead(head,
                     {.keep_alive = keep_alive_ && request_body_.done(),
                      .client_minor_version = minor_version_,
                      .upgrade = false,
                      .via = shard_.forwarding().via},
                     own_out_.text());
  if (!request_body_.done()) keep_alive_ = false;
  out_.Consume(consumed);
  SetDeadline(shard_.limits().body_timeout);
  return true;
}

bool Session::ScanAnswerBody() {
  if (!answer_begun_ || answer_body_.done() || !upstream_) return false;
  const bool waits_for_client = answer_unchunked_ && !own_out_.empty();
  if (waits_for_client) return false;
  std::string* const data = answer_unchunked_ ? &own_out_.text() : nullptr;
  const size_t scanned = answer_body_.Scan(out_.view().substr(answer_scanned_), data);
  if (answer_unchunked_) {
    out_.Consume(scanned);
  } else {
    answer_scanned_ += scanned;
  }
  if (answer_body_.bad()) {
    shard_.ConnectionBroke(upstream_->endpoint());
    Close("chunked_body");
    return false;
  }
  return scanned > 0;
}

bool Session::FinishAnswer() {
  if (!answer_begun_ || !upstream_) return false;
  const bool ended = answer_body_.done() || (answer_body_.until_close() && worker_ended_);
  if (!ended || !own_out_.empty() || answer_scanned_ > 0) return false;
  if (pipe_ && !pipe_->empty()) return false;
  Shard::Served(*upstream_->endpoint());
  Conclude(answer_status_, "");
  // Bytes after the answer belong to nothing that was asked: that connection is not used again.
  const bool request_whole =
      request_body_.done() && head_sent_ == request_head_.size() && body_sent_ == body_scanned_;
  const bool nothing_more = out_.empty() && !worker_ended_ && !worker_closing_ &&
                            (!worker_readable_ || upstream_->IsQuiet());
  Release(answer_reusable_ && request_whole && nothing_more);
  shard_.pipes().Give(std::move(pipe_));
  request_head_.Clear();
  out_.Clear();
  in_.Consume(body_scanned_);
  body_scanned_ = body_sent_ = 0;
  if (!keep_alive_) {
    // Its client may have sent a further request before it read that there is none.
    if (request_whole && in_.empty() && !shard_.draining()) {
      Close();
    } else {
      Linger();
    }
    return false;
  }
  phase_ = Phase::kHead;
  SetDeadline(IdleTime());
  return true;
}

bool Session::MayTryAgain() const {
  if (answer_begun_ || interim_begun_ || body_dropped_) return false;
  if (attempts_ > shard_.limits().retries_max) return false;
  const bool nothing_sent = head_sent_ == 0 && body_sent_ == 0;
  return nothing_sent || (idempotent_ && out_.empty());
}

void Session::WorkerLost(const char* reason, int connect_error) {
  const EndpointPointer endpoint = upstream_->endpoint();
  const bool was_connected = connected_;
  const bool was_reused = upstream_->reused();
  const bool again = MayTryAgain();
  lost_worker_ = endpoint;
  lost_was_reused_ = was_reused;
  Release(false);
  out_.Clear();
  if (!was_connected) {
    shard_.ConnectFailed(endpoint, connect_error);
  } else if (!was_reused) {
    shard_.ConnectionBroke(endpoint);
  }
  if (!again || !shard_.SpendRetry()) {
    const bool nobody = !was_connected;
    return Refuse(nobody ? 503 : 502, reason,
                  nobody ? kNoWorker : "the worker closed the connection without an answer",
                  nobody);
  }
  Count(endpoint->retried);
  trace_.TryAgain(Shard::PreciseNow());
  // A connection that was idle may have been closed just as it was used: that says nothing of the
  // worker, but its other idle connections are as old.
  if (was_connected && was_reused) {
    shard_.upstreams().Drop(*endpoint);
  } else {
    tried_.push_back(endpoint);
  }
  Dispatch();
}

void Session::Release(bool reuse) {
  const EndpointPointer endpoint = upstream_->endpoint();
  upstream_->set_user(nullptr);
  if (reuse && !endpoint->draining.load(std::memory_order_relaxed)) {
    shard_.upstreams().Put(std::move(upstream_));
  }
  upstream_.reset();
  const uint64_t before = endpoint->in_flight.fetch_sub(1, std::memory_order_acq_rel);
  if (before == 1 && endpoint->draining.load(std::memory_order_acquire)) {
    shard_.hooks().nothing_in_flight();
  }
}

// After 101 both sides speak as they like, until both have ended (RFC 9110, 7.8).
bool Session::Tunnel() {
  bool moved = ReadClient();
  if (phase_ != Phase::kTunnel) return false;
  body_scanned_ = in_.size();
  moved = ReadWorker() || moved;
  if (phase_ != Phase::kTunnel) return false;
  answer_scanned_ = out_.size();
  moved = WriteClient() || moved;
  if (phase_ != Phase::kTunnel) return false;
  if (worker_writable_ && !in_.empty()) {
    const ssize_t written = ::send(upstream_->fd(), in_.view().data(), in_.size(), MSG_NOSIGNAL);
    if (written > 0) {
      Count(upstream_->endpoint()->bytes_to_worker, static_cast<uint64_t>(written));
      trace_.ReadFromClient(static_cast<size_t>(written));
      in_.Consume(static_cast<size_t>(written));
      moved = true;
    } else if (errno == EAGAIN && upstream_->AwaitWritable()) {
      worker_writable_ = false;
    } else {
      Close("connection_lost");
      return false;
    }
  }
  if (client_ended_ && in_.empty()) ::shutdown(upstream_->fd(), SHUT_WR);
  if (worker_ended_ && out_.empty() && own_out_.empty()) {
    ::shutdown(client_.get(), SHUT_WR);
    if (client_ended_) {
      Conclude(answer_status_, "");
      Close();
    }
  }
  if (moved) SetDeadline(shard_.limits().tunnel_timeout);
  return moved && phase_ == Phase::kTunnel;
}

}  // namespace gocomet::dataplane
