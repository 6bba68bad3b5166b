#include "dataplane/proxy/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/http/request_rules.h"
#include "dataplane/proxy/rewrite.h"
#include "dataplane/proxy/write_both.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {
namespace {

constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr std::chrono::milliseconds kWatchClientAfter{20};
// A large body, or a client with many requests in one buffer, must not hold up all others.
constexpr int kRoundsAtOnce = 16;
constexpr size_t kOwnBytesMax = 16 * 1024;

bool IsIdempotent(std::string_view method) {
  for (const std::string_view name : {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}) {
    if (method == name) return true;
  }
  return false;
}

}  // namespace

Session::Session(Shard& shard, size_t place, UniqueFd client, std::string client_ip, bool trusted)
    : shard_(shard),
      place_(place),
      client_(std::move(client)),
      client_ip_(std::move(client_ip)),
      client_is_trusted_(trusted),
      in_(shard.blocks()),
      out_(shard.blocks()),
      own_out_(shard.texts()),
      request_head_(shard.texts()) {}

Session::~Session() {
  if (phase_ == Phase::kExchange || phase_ == Phase::kTunnel) Conclude(answer_status_, "cut_off");
  if (upstream_) Release(false);
  if (client_watched_) event_del(&client_event_);
  if (client_write_event_ != nullptr) event_free(client_write_event_);
}

void Session::Begin() {
  SetDeadline(IdleTime());
  Advance();
}

void Session::Continue() {
  continues_later_ = false;
  Advance();
}

void Session::WatchClient() {
  client_watched_ =
      event_assign(&client_event_, shard_.base(), client_.get(),
                   EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, &Session::OnClientEvent, this) == 0 &&
      event_add(&client_event_, nullptr) == 0;
  if (!client_watched_) Close();
}

void Session::Drain() {
  if (phase_ == Phase::kHead && in_.empty()) SetDeadline(IdleTime());
}

void Session::OnClientEvent(evutil_socket_t, short what, void* self) {
  auto* session = static_cast<Session*>(self);
  if ((what & (EV_READ | EV_CLOSED)) != 0) session->client_readable_ = true;
  if ((what & EV_CLOSED) != 0) session->client_closing_ = true;
  if ((what & EV_WRITE) != 0) session->client_writable_ = true;
  // While only the answer is awaited, nothing else would notice that the client is gone.
  if ((what & (EV_READ | EV_CLOSED)) != 0 && session->phase_ == Phase::kExchange &&
      session->request_body_.done() && session->ClientIsGone()) {
    return session->Close();
  }
  session->Advance();
}

// A client that only closed its sending side is served; one that is reset takes nothing any more.
bool Session::ClientIsGone() const {
  pollfd client{client_.get(), 0, 0};
  return ::poll(&client, 1, 0) == 1 && (client.revents & POLLERR) != 0;
}

void Session::OnUpstreamEvent(short what) {
  if ((what & (EV_READ | EV_CLOSED)) != 0) worker_readable_ = true;
  if ((what & EV_CLOSED) != 0) worker_closing_ = true;
  if ((what & EV_WRITE) != 0) worker_writable_ = true;
  Advance();
}

void Session::Advance() {
  if (advancing_) return;
  advancing_ = true;
  int rounds_left = kRoundsAtOnce;
  while (phase_ != Phase::kClosed && AdvanceOnce()) {
    if (--rounds_left > 0) continue;
    if (!std::exchange(continues_later_, true)) shard_.ContinueLater(*this);
    break;
  }
  advancing_ = false;
  const bool only_answer_missing = phase_ == Phase::kExchange && request_body_.done();
  if (!client_watched_ && phase_ != Phase::kClosed && !only_answer_missing) WatchClient();
}

// True where anything moved, so that more may.
bool Session::AdvanceOnce() {
  switch (phase_) {
    case Phase::kHead: {
      const bool wrote = WriteClient();
      if (phase_ != Phase::kHead) return false;
      const bool read = ReadClient();
      if (phase_ != Phase::kHead) return false;
      return ReadHead() || wrote || read;
    }
    case Phase::kExchange: {
      bool moved = false;
      for (const auto step :
           {&Session::ScanRequestBody, &Session::WriteWorker, &Session::ReadWorker,
            &Session::ReadAnswerHead, &Session::ScanAnswerBody, &Session::WriteClient,
            &Session::FinishAnswer}) {
        moved = (this->*step)() || moved;
        if (phase_ != Phase::kExchange) return phase_ != Phase::kClosed;
      }
      return moved;
    }
    case Phase::kTunnel:
      return Tunnel();
    case Phase::kLinger:
      return WriteClient() || Discard();
    case Phase::kClosed:
      return false;
  }
  return false;
}

// --- Client side -------------------------------------------------------------------------------

bool Session::ReadClient() {
  if (!client_readable_ || client_ended_ || in_.full()) return false;
  size_t room = 0;
  char* to = in_.Room(room);
  const ssize_t got = ::recv(client_.get(), to, room, 0);
  if (got > 0) {
    in_.Added(static_cast<size_t>(got));
    // Less than there was room for: there is no more now, and no need to ask. But the end of the
    // connection, once told, is told no second time.
    if (static_cast<size_t>(got) < room && !client_closing_) client_readable_ = false;
    return true;
  }
  if (in_.empty()) in_.Clear();
  if (got < 0 && errno == EINTR) return true;
  client_readable_ = false;
  if (got < 0 && errno == EAGAIN) return false;
  if (got < 0) {
    Close();
    return false;
  }
  client_ended_ = true;
  return true;
}

bool Session::ReadHead() {
  // Who asks and asks without taking the answers waits until they are taken.
  if (own_out_.size() > kOwnBytesMax) return false;
  if (in_.empty()) {
    if (client_ended_ && own_out_.empty()) Close();
    return false;
  }
  if (seen_ == 0) SetDeadline(shard_.limits().header_timeout);
  if (seen_ == in_.size() && !client_ended_) return false;
  const ExchangeTrace::Time now = Shard::PreciseNow();
  if (seen_ == 0) {
    trace_.Begin(now, own_out_.size());
  } else {
    trace_.ReadHead(now);
  }
  http::RequestHead head;
  const http::HeadResult result =
      http::ParseRequestHead(in_.view(), seen_, shard_.limits().head, head);
  switch (result.state) {
    case http::Parse::kMore:
      seen_ = in_.size();
      if (client_ended_) Close();
      return false;
    case http::Parse::kBad:
      Count(shard_.mutable_counters().requests);
      is_head_ = false;
      Refuse(result.fault.status, result.fault.reason, ReasonPhrase(result.fault.status));
      return true;
    case http::Parse::kDone:
      BeginExchange(head, result.consumed);
      return true;
  }
  return false;
}

void Session::BeginExchange(const http::RequestHead& head, size_t consumed) {
  Count(shard_.mutable_counters().requests);
  shard_.EarnRetry();
  trace_.ReadFromClient(consumed);
  seen_ = 0;
  minor_version_ = head.minor_version;
  is_head_ = head.method == "HEAD";
  idempotent_ = IsIdempotent(head.method);
  const http::RequestMeaning meaning = http::UnderstandRequest(head);
  const uint64_t requests_max = shard_.limits().requests_per_connection_max;
  const bool is_last = ++requests_ == requests_max;
  keep_alive_ = meaning.persists && !is_last;
  if (!meaning.ok) {
    const http::Fault& fault = meaning.fault;
    const std::string_view text = fault.text;
    return Refuse(fault.status, fault.reason, text.empty() ? ReasonPhrase(fault.status) : text);
  }
  wants_upgrade_ = meaning.upgrade;
  request_body_ = http::BodyScanner(meaning.framing);
  AppendRequestHead(head, meaning,
                    {.client_ip = client_ip_,
                     .request_id = shard_.NewRequestId(),
                     .client_is_trusted = client_is_trusted_,
                     .via = shard_.forwarding().via},
                    request_head_.text());
  const Router::Verdict verdict = ChooseService(head, meaning.form);
  in_.Consume(consumed);
  body_scanned_ = body_sent_ = 0;
  body_dropped_ = false;
  body_began_ = shard_.Now();
  body_came_ = 0;
  attempts_ = 0;
  tried_.clear();
  answer_begun_ = interim_begun_ = false;
  answer_status_ = 0;
  phase_ = Phase::kExchange;
  if (!client_watched_) shard_.SetDeadline(*this, shard_.Now() + kWatchClientAfter);
  if (verdict != Router::Verdict::kFound) return RefuseUnrouted(verdict);
  Dispatch();
}

void Session::Refuse(int status, std::string_view reason, std::string_view text, bool may_go_on) {
  Count(shard_.mutable_counters().own_answers[status]);
  const bool go_on = may_go_on && keep_alive_ && request_body_.done() && !IsLastAnswer();
  AppendOwnAnswer(status, reason, text, go_on, is_head_, own_out_.text());
  trace_.WroteToClient(Shard::PreciseNow(), own_out_.size());
  Conclude(status, reason);
  if (upstream_) Release(false);
  request_head_.Clear();
  out_.Clear();
  keep_alive_ = go_on;
  if (go_on) {
    in_.Consume(body_scanned_);
    body_scanned_ = 0;
    phase_ = Phase::kHead;
    SetDeadline(IdleTime());
  } else {
    Linger();
  }
}

bool Session::WriteClient() {
  const std::string_view own = own_out_.view();
  const std::string_view body = out_.view().substr(0, answer_scanned_);
  if (own.empty() && body.empty()) return pipe_ && !pipe_->empty() && SpliceToClient();
  if (!client_writable_) return false;
  const ssize_t written = WriteBoth(client_.get(), own, body);
  if (written < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN) {
      AwaitWritable();
      return false;
    }
    Close();
    return false;
  }
  const auto bytes = static_cast<size_t>(written);
  if (trace_.open()) trace_.WroteToClient(Shard::PreciseNow(), bytes);
  if (bytes < own.size() + body.size()) AwaitWritable();
  const size_t of_own = std::min(bytes, own.size());
  own_out_.Consume(of_own);
  out_.Consume(bytes - of_own);
  answer_scanned_ -= bytes - of_own;
  if (phase_ == Phase::kExchange) SetDeadline(BodyTimeout());
  return true;
}

bool Session::SpliceToClient() {
  if (!client_writable_) return false;
  const ssize_t written = pipe_->Drain(client_.get());
  if (written < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN) {
      AwaitWritable();
    } else {
      Close();
    }
    return false;
  }
  trace_.WroteToClient(Shard::PreciseNow(), static_cast<size_t>(written));
  SetDeadline(BodyTimeout());
  return true;
}

// Most connections never block, and an event nobody waits for costs a wake-up.
void Session::AwaitWritable() {
  client_writable_ = false;
  if (client_write_event_ != nullptr) return;
  client_write_event_ = event_new(shard_.base(), client_.get(), EV_WRITE | EV_ET | EV_PERSIST,
                                  &Session::OnClientEvent, this);
  if (client_write_event_ == nullptr || event_add(client_write_event_, nullptr) != 0) Close();
}

// Reads and forgets, so that closing does not reset the connection before our answer has arrived
// (RFC 9112, 9.6).
bool Session::Discard() {
  if (!own_out_.empty()) return false;
  ::shutdown(client_.get(), SHUT_WR);
  in_.Clear();
  if (client_ended_) {
    Close();
    return false;
  }
  const bool read = ReadClient();
  if (phase_ == Phase::kLinger) in_.Clear();
  return read;
}

void Session::Linger() {
  phase_ = Phase::kLinger;
  answer_scanned_ = 0;
  SetDeadline(kLingerTime);
}

void Session::Close(std::string_view why) {
  if (phase_ == Phase::kExchange || phase_ == Phase::kTunnel) Conclude(answer_status_, why);
  if (std::exchange(phase_, Phase::kClosed) == Phase::kClosed) return;
  if (upstream_) Release(false);
  if (std::exchange(client_watched_, false)) event_del(&client_event_);
  if (client_write_event_ != nullptr) event_del(client_write_event_);
  if (continues_later_) shard_.ForgetToContinue(*this);
  TimerWheel::Cancel(*this);
  client_.Reset();
  shard_.Retire(*this);
}

// --- Deadlines ---------------------------------------------------------------------------------

// The wheel is touched only where it would call too late; where it calls too early, the deadline is
// set again. So a request costs nothing for it in steady state.
void Session::SetDeadline(std::chrono::milliseconds from_now) {
  deadline_ = shard_.Now() + from_now;
  shard_.SetDeadline(*this, deadline_);
}

std::chrono::milliseconds Session::IdleTime() const {
  return shard_.draining() ? shard_.limits().drain_idle_timeout : shard_.limits().idle_timeout;
}

bool Session::IsLastAnswer() const { return shard_.draining() && in_.size() <= body_scanned_; }

void Session::OnTime(TimerWheel::Time now) {
  if (now < deadline_) {
    shard_.SetDeadline(*this, deadline_);
    // The answer takes its time: from now on a client that leaves is noticed.
    if (!client_watched_) WatchClient();
  } else {
    OnDeadline();
    if (phase_ != Phase::kClosed) Advance();
  }
}

void Session::OnDeadline() {
  switch (phase_) {
    case Phase::kHead:
      if (in_.empty()) {
        // A request that has come by now is answered: nobody told its client not to send it.
        client_readable_ = true;
        if (!ReadClient()) Close();
        return;
      }
      keep_alive_ = false;
      trace_.ReadHead(Shard::PreciseNow());
      return Refuse(408, "header_timeout", "the request's head did not come in time");
    case Phase::kExchange: {
      if (answer_begun_) return Close("body_timeout");
      if (!upstream_) return Close();
      if (!connected_) return WorkerLost("connect_timeout", ETIMEDOUT);
      const bool waits_for_client = !request_body_.done() && body_sent_ == body_scanned_;
      if (waits_for_client) {
        return Refuse(408, "body_timeout", "the request's body did not come in time");
      }
      Count(upstream_->endpoint()->counters->timeouts);
      return Refuse(504, "response_timeout", "the worker did not answer in time");
    }
    default:
      return Close("tunnel_timeout");
  }
}

}  // namespace gocomet::dataplane
