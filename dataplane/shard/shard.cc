#include "dataplane/shard/shard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>

#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

constexpr int kBacklog = 4096;
constexpr timeval kAcceptPause{0, 50'000};
constexpr size_t kBlockBytes = size_t{16} * 1024;
constexpr double kRetriesPerRequest = 0.2;
constexpr double kRetriesSavedMax = 100;

std::string IpOf(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "unknown";
  if (peer.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof(text));
  } else if (peer.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, text, sizeof(text));
  }
  return text;
}

std::string FirstRequestId() {
  char text[40];
  std::snprintf(text, sizeof(text), "%016llx%08x",
                static_cast<unsigned long long>(RandomIncarnation()), 0U);
  return text;
}

}  // namespace

absl::StatusOr<UniqueFd> Reserve(const Address& address) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "socket");
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (!address.is_unix()) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // Clients inherit it.
    // A connection is told of once its request is there, or after a second without: half the
    // wake-ups and calls where each request has a connection of its own.
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on));
    if (address.is_loopback()) AvoidPacing(fd.get());
  }
  if (::bind(fd.get(), address.socket_address(), address.socket_address_length()) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot listen on ", address.ToString()));
  }
  return fd;
}

absl::Status ListenOn(const UniqueFd& reserved, const Address& address) {
  if (::listen(reserved.get(), kBacklog) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, Cat("cannot listen on ", address.ToString()));
}

absl::StatusOr<UniqueFd> Listen(const Address& address) {
  GOCOMET_ASSIGN_OR_RETURN(UniqueFd fd, Reserve(address));
  GOCOMET_RETURN_IF_ERROR(ListenOn(fd, address));
  return fd;
}

absl::StatusOr<std::vector<UniqueFd>> ListenAlone(const Address& address, int count) {
  // Sockets that share a port would hide that somebody else has it.
  GOCOMET_RETURN_IF_ERROR(CheckAddressIsFree(address));
  std::vector<UniqueFd> listeners;
  for (int i = 0; i < count; ++i) {
    GOCOMET_ASSIGN_OR_RETURN(UniqueFd listener, Listen(address));
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

Shard::Shard(int index, const ProxySettings& settings, Hooks hooks)
    : settings_(settings),
      hooks_(std::move(hooks)),
      index_(static_cast<size_t>(index)),
      name_(Cat("shard-", index)),
      wheel_(Now()),
      blocks_(std::max(kBlockBytes, settings.limits.head.head_bytes_max)),
      routing_(std::make_shared<Routing>(std::make_shared<RoutingTable>())),
      router_(routing_->router()),
      request_id_(FirstRequestId()),
      random_(RandomIncarnation()),
      retries_earned_(kRetriesSavedMax) {
  resume_timer_ = event_new(loop_.base(), -1, 0, &Shard::OnResume, this);
  retire_event_ = event_new(loop_.base(), -1, 0, &Shard::OnRetire, this);
  continue_event_ = event_new(loop_.base(), -1, 0, &Shard::OnContinue, this);
  wheel_event_ = event_new(loop_.base(), -1, 0, &Shard::OnWheel, this);
}

Shard::~Shard() {
  if (thread_.joinable()) {
    Stop();
    thread_.join();
  }
  sessions_.clear();
  retired_.clear();
  for (const Listener& listener : listeners_) event_free(listener.readable);
  event_free(resume_timer_);
  event_free(retire_event_);
  event_free(continue_event_);
  event_free(wheel_event_);
}

void Shard::Start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), name_.c_str());
    loop_.Run();
  });
}

void Shard::Adopt(std::shared_ptr<const Routing> routing, std::function<void()> adopted) {
  loop_.Post([this, routing = std::move(routing), adopted = std::move(adopted)] {
    routing_ = routing;
    if (router_.get() != routing_->router().get()) router_ = HeldRouter(routing_->router());
    upstreams_.KeepOnly(routing_->endpoints());
    adopted();
  });
}

void Shard::AcceptFrom(std::vector<UniqueFd> listeners) {
  // A task can be copied, a descriptor cannot.
  auto shared = std::make_shared<std::vector<UniqueFd>>(std::move(listeners));
  loop_.Post([this, shared] {
    if (draining_) return;
    for (UniqueFd& fd : *shared) {
      event* readable =
          event_new(loop_.base(), fd.get(), EV_READ | EV_PERSIST, &Shard::OnAccept, this);
      event_add(readable, nullptr);
      listeners_.push_back({std::move(fd), readable});
    }
  });
}

void Shard::StopAcceptingFrom(std::vector<int> listeners) {
  loop_.Post([this, listeners = std::move(listeners)] {
    std::erase_if(listeners_, [&](const Listener& ours) {
      const int fd = ours.fd.get();
      if (std::find(listeners.begin(), listeners.end(), fd) == listeners.end()) return false;
      AcceptWaiting(fd);
      event_free(ours.readable);
      return true;
    });
  });
}

void Shard::Drain(Waiting waiting) {
  loop_.Post([this, waiting] {
    draining_ = true;
    StopAccepting(waiting);
    for (const auto& session : sessions_) session->Drain();
    ReportIfDrained();
  });
}

void Shard::StopAccepting(Waiting waiting) {
  for (const Listener& listener : listeners_) {
    if (waiting == Waiting::kAccept) AcceptWaiting(listener.fd.get());
  }
  event_del(resume_timer_);
  for (const Listener& listener : listeners_) event_free(listener.readable);
  listeners_.clear();
}

void Shard::AcceptWaiting(int listener) {
  int left = kBacklog;
  while (left > 0 && Accept(listener)) --left;
}

void Shard::Stop() { loop_.Stop(); }

void Shard::OnAccept(evutil_socket_t fd, short, void* self) {
  // One at a time: the listener stays readable while more wait, and asking in vain costs a call.
  static_cast<Shard*>(self)->Accept(fd);
}

void Shard::OnResume(evutil_socket_t, short, void* self) {
  for (const Listener& listener : static_cast<Shard*>(self)->listeners_) {
    event_add(listener.readable, nullptr);
  }
}

void Shard::OnRetire(evutil_socket_t, short, void* self) {
  static_cast<Shard*>(self)->retired_.clear();
}

bool Shard::Accept(int listener) {
  if (sessions_.size() >= limits().connections_max) {
    PauseAccepting();
    return false;
  }
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  UniqueFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) {
    // No descriptor is free: those who wait stay in the backlog until one is.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      PauseAccepting();
    }
    return false;
  }
  const bool trusted = peer.ss_family == AF_UNIX || forwarding().trusted_proxies.Contain(peer);
  sessions_.push_back(
      std::make_unique<Session>(*this, sessions_.size(), std::move(fd), IpOf(peer), trusted));
  Count(connections_);
  sessions_.back()->Begin();
  return true;
}

void Shard::PauseAccepting() {
  for (const Listener& listener : listeners_) event_del(listener.readable);
  event_add(resume_timer_, &kAcceptPause);
}

void Shard::Retire(Session& session) {
  const size_t place = session.place();
  std::swap(sessions_[place], sessions_.back());
  sessions_[place]->set_place(place);
  retired_.push_back(std::move(sessions_.back()));
  sessions_.pop_back();
  connections_.fetch_sub(1, std::memory_order_relaxed);
  if (retired_.size() == 1) event_active(retire_event_, EV_TIMEOUT, 0);
  ReportIfDrained();
}

void Shard::ContinueLater(Session& session) {
  // A time that has come already is served after the next look for events.
  const timeval now{};
  if (unfinished_.empty()) event_add(continue_event_, &now);
  unfinished_.push_back(&session);
}

void Shard::OnContinue(evutil_socket_t, short, void* self) {
  auto* shard = static_cast<Shard*>(self);
  std::deque<Session*>& unfinished = shard->unfinished_;
  for (size_t turns = unfinished.size(); turns > 0 && !unfinished.empty(); --turns) {
    Session* session = unfinished.front();
    unfinished.pop_front();
    session->Continue();
  }
  const timeval now{};
  if (!unfinished.empty()) event_add(shard->continue_event_, &now);
}

void Shard::Keep(std::unique_ptr<Upstream> upstream) {
  const TimerWheel::Time now = Now();
  upstreams_.Put(std::move(upstream), now);
  SetDeadline(idle_sweep_, now + limits().upstream_idle_timeout);
}

void Shard::IdleSweep::OnTime(TimerWheel::Time now) {
  const auto timeout = shard_.limits().upstream_idle_timeout;
  const auto next = shard_.upstreams_.CloseIdleSince(now - timeout);
  if (next) shard_.SetDeadline(*this, *next + timeout);
}

void Shard::SetDeadline(TimerWheel::Timer& timer, TimerWheel::Time time) {
  wheel_.SetNoLater(timer, time);
  if (time < wheel_wake_) WakeForWheel(time);
}

void Shard::WakeForWheel(TimerWheel::Time time) {
  wheel_wake_ = time;
  const auto wait = std::max(time - Now() + TimerWheel::kTick, TimerWheel::kTick);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  const timeval from_now{seconds.count(),
                         std::chrono::ceil<std::chrono::microseconds>(wait - seconds).count()};
  event_add(wheel_event_, &from_now);
}

void Shard::OnWheel(evutil_socket_t, short, void* self) {
  auto* shard = static_cast<Shard*>(self);
  shard->wheel_wake_ = TimerWheel::Time::max();
  shard->wheel_.Advance(shard->Now());
  const auto next = shard->wheel_.NextTime();
  if (next && *next < shard->wheel_wake_) shard->WakeForWheel(*next);
}

void Shard::ReportIfDrained() {
  if (!draining_ || !sessions_.empty() || std::exchange(drained_, true)) return;
  hooks_.drained();
}

std::string_view Shard::NewRequestId() {
  // The end of the text counts on, as hexadecimal digits do.
  for (size_t at = request_id_.size(); at-- > 0;) {
    char& digit = request_id_[at];
    digit = digit == '9' ? 'a' : digit == 'f' ? '0' : static_cast<char>(digit + 1);
    if (digit != '0') break;
  }
  return request_id_;
}

std::chrono::steady_clock::time_point Shard::Now() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

void Shard::EarnRetry() {
  retries_earned_ = std::min(kRetriesSavedMax, retries_earned_ + kRetriesPerRequest);
}

bool Shard::SpendRetry() {
  if (retries_earned_ < 1) return false;
  retries_earned_ -= 1;
  return true;
}

void Shard::ConnectFailed(const EndpointPointer& endpoint, int error) {
  Count(endpoint->counters->connect_errors);
  // Silence, or a full queue, is what an overloaded worker shows; one such is no refusal.
  if (error == ETIMEDOUT || error == EAGAIN) return FailedOnceMore(endpoint);
  if (!endpoint->refuses.exchange(true, std::memory_order_relaxed)) hooks_.refused(endpoint);
}

void Shard::ConnectionBroke(const EndpointPointer& endpoint) {
  Count(endpoint->counters->resets);
  FailedOnceMore(endpoint);
}

void Shard::FailedOnceMore(const EndpointPointer& endpoint) const {
  const uint32_t failures = endpoint->failures_in_row.fetch_add(1, std::memory_order_relaxed) + 1;
  if (failures == endpoint->failures_to_tell.load(std::memory_order_relaxed)) {
    hooks_.failing(endpoint);
  }
}

}  // namespace gocomet::dataplane
