#include "dataplane/proxy/upstream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string_view>
#include <utility>

namespace gocomet::dataplane {

void AvoidPacing(int fd) {
  constexpr std::string_view kPlain = "reno";
  ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kPlain.data(), kPlain.size());
}

std::unique_ptr<Upstream> Upstream::Connect(event_base* base, const EndpointPointer& endpoint) {
  const Address& address = endpoint->address;
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return nullptr;
  if (!address.is_unix()) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (address.is_loopback()) AvoidPacing(fd.get());
  }
  const bool at_once =
      ::connect(fd.get(), address.socket_address(), address.socket_address_length()) == 0;
  if (!at_once && errno != EINPROGRESS) return nullptr;
  std::unique_ptr<Upstream> upstream(new Upstream(std::move(fd), endpoint));
  upstream->connected_at_once_ = at_once;
  // A Unix socket is connected at once, and would tell that it is writable after each request.
  const short writes = at_once ? 0 : EV_WRITE;
  upstream->event_ = event_new(
      base, upstream->fd(), static_cast<short>(EV_READ | EV_CLOSED | EV_ET | EV_PERSIST | writes),
      &Upstream::OnEvent, upstream.get());
  if (upstream->event_ == nullptr || event_add(upstream->event_, nullptr) != 0) {
    upstream.reset();
    errno = ENOMEM;  // Whatever closing left there: the worker refused nothing.
    return nullptr;
  }
  return upstream;
}

Upstream::~Upstream() {
  if (event_ != nullptr) event_free(event_);
  if (write_event_ != nullptr) event_free(write_event_);
}

bool Upstream::AwaitWritable() {
  if (!connected_at_once_ || write_event_ != nullptr) return true;
  write_event_ = event_new(event_get_base(event_), fd(), EV_WRITE | EV_ET | EV_PERSIST,
                           &Upstream::OnEvent, this);
  return write_event_ != nullptr && event_add(write_event_, nullptr) == 0;
}

bool Upstream::IsQuiet() const {
  char byte = 0;
  return ::recv(fd(), &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

void Upstream::OnEvent(evutil_socket_t, short what, void* self) {
  auto* upstream = static_cast<Upstream*>(self);
  if (upstream->user_ != nullptr) {
    upstream->user_->OnUpstreamEvent(what);
  } else if (upstream->pool_ != nullptr && !upstream->IsQuiet()) {
    // Asked for, since the event may be an old one: of bytes that were an answer's, read meanwhile.
    upstream->pool_->OnIdleEvent(*upstream);
  }
}

std::unique_ptr<Upstream> UpstreamPool::Take(const EndpointPointer& endpoint) {
  const auto found = idle_.find(endpoint.get());
  if (found == idle_.end() || found->second.empty()) return nullptr;
  std::unique_ptr<Upstream> upstream = std::move(found->second.back());
  found->second.pop_back();
  upstream->pool_ = nullptr;
  upstream->reused_ = true;
  return upstream;
}

void UpstreamPool::Put(std::unique_ptr<Upstream> upstream, TimerWheel::Time now) {
  std::vector<std::unique_ptr<Upstream>>& idle = idle_[upstream->endpoint().get()];
  if (idle.size() >= kIdlePerEndpointMax) return;
  upstream->set_user(nullptr);
  upstream->pool_ = this;
  upstream->idle_since_ = now;
  idle.push_back(std::move(upstream));
}

std::optional<TimerWheel::Time> UpstreamPool::CloseIdleSince(TimerWheel::Time time) {
  std::optional<TimerWheel::Time> next;
  for (auto& [endpoint, idle] : idle_) {
    const auto kept = std::find_if(idle.begin(), idle.end(), [time](const auto& upstream) {
      return upstream->idle_since_ > time;
    });
    idle.erase(idle.begin(), kept);
    if (idle.empty()) continue;
    const TimerWheel::Time since = idle.front()->idle_since_;
    if (!next || since < *next) next = since;
  }
  return next;
}

void UpstreamPool::Drop(const Endpoint& endpoint) { idle_.erase(&endpoint); }

void UpstreamPool::KeepOnly(const std::vector<const Endpoint*>& keep) {
  std::erase_if(idle_, [&keep](const auto& entry) {
    return !std::binary_search(keep.begin(), keep.end(), entry.first, std::less<>());
  });
}

void UpstreamPool::OnIdleEvent(Upstream& upstream) {
  const auto found = idle_.find(upstream.endpoint().get());
  if (found == idle_.end()) return;
  std::erase_if(found->second, [&](const auto& idle) { return idle.get() == &upstream; });
}

}  // namespace gocomet::dataplane
