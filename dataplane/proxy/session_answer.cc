// A session's answer: its head, its body by whichever way it goes, its end; and the tunnel that a
// connection may become.
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "dataplane/proxy/rewrite.h"
#include "dataplane/proxy/session.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {
namespace {

// Below this a pipe's calls cost more than the copies that they spare.
constexpr uint64_t kSpliceBytesMin = 32 * 1024;
constexpr size_t kInterimBytesMax = 64 * 1024;

}  // namespace

bool Session::ReadWorker() {
  if (!upstream_ || !connected_ || !worker_readable_ || worker_ended_ || out_.full()) return false;
  if (MaySplice()) return SpliceFromWorker();
  size_t room = 0;
  char* to = out_.Room(room);
  const ssize_t got = ::recv(upstream_->fd(), to, room, 0);
  if (got > 0) {
    out_.Added(static_cast<size_t>(got));
    if (!trace_.answered()) trace_.ReadFromWorker(Shard::PreciseNow());
    Count(upstream_->endpoint()->counters->bytes_from_worker, static_cast<uint64_t>(got));
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
    Count(upstream_->endpoint()->counters->bytes_from_worker, static_cast<uint64_t>(got));
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
    Count(upstream_->endpoint()->counters->answered);
    Count(upstream_->endpoint()->counters->by_status_class[0]);
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
  Count(endpoint.counters->answered);
  Count(endpoint.counters->by_status_class[head.status / 100 > 5 ? 4 : head.status / 100 - 1]);
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
  SetDeadline(BodyTimeout());
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
      Count(upstream_->endpoint()->counters->bytes_to_worker, static_cast<uint64_t>(written));
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
