// The worker's side of a session until its answer comes: choosing one, connecting, sending the
// request, and trying again.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dataplane/proxy/rewrite.h"
#include "dataplane/proxy/session.h"
#include "dataplane/proxy/write_both.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {
namespace {

constexpr char kNoWorker[] = "No healthy server found";

// The worker is not to blame for these.
bool OwnLimitReached(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

}  // namespace

void Session::Dispatch() {
  while (true) {
    ++attempts_;
    EndpointPointer endpoint;
    if (const RoutingTable* workers = Workers()) {
      endpoint = workers->Pick({.key_hash = key_hash_, .random = shard_.NextRandom()}, tried_);
    }
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
    if (attempts_ > RetriesMax() || !shard_.SpendRetry()) {
      return Refuse(503, "connect_failed", kNoWorker, true);
    }
    Count(endpoint->counters->retried);
    trace_.TryAgain(Shard::PreciseNow());
  }
  Count(upstream_->endpoint()->in_flight);
  upstream_->set_user(this);
  head_sent_ = body_sent_ = 0;
  answer_seen_ = 0;
  answer_scanned_ = 0;
  worker_readable_ = worker_closing_ = worker_ended_ = false;
  worker_writable_ = connected_;
  SetDeadline(connected_ ? TimeToAnswer() : ConnectTimeout());
}

std::chrono::milliseconds Session::TimeToAnswer() const {
  return request_body_.done() ? ResponseTimeout() : BodyTimeout();
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
  SetDeadline(BodyTimeout());
  if (limits.body_rate_min == 0 || request_body_.done()) return;
  if (in_.full()) {
    body_began_ = shard_.Now();
    body_came_ = 0;
    return;
  }
  const std::chrono::milliseconds bought(body_came_ * 1000 / limits.body_rate_min);
  const auto paid_until = body_began_ + BodyTimeout() + bought;
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
  const ssize_t written = WriteBoth(upstream_->fd(), head, body);
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
  Count(upstream_->endpoint()->counters->bytes_to_worker, bytes);
  const size_t of_head = std::min(bytes, head.size());
  head_sent_ += of_head;
  body_sent_ += bytes - of_head;
  // From here on the worker is waited for, however slowly the body came.
  if (bytes > of_head && request_body_.done() && !answer_begun_) {
    SetDeadline(ResponseTimeout());
  }
  return true;
}

bool Session::MayTryAgain() const {
  if (answer_begun_ || interim_begun_ || body_dropped_) return false;
  if (attempts_ > RetriesMax()) return false;
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
  Count(endpoint->counters->retried);
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
    shard_.Keep(std::move(upstream_));
  }
  upstream_.reset();
  const uint64_t before = endpoint->in_flight.fetch_sub(1, std::memory_order_acq_rel);
  if (before == 1 && endpoint->draining.load(std::memory_order_acquire)) {
    shard_.hooks().nothing_in_flight();
  }
}

}  // namespace gocomet::dataplane
