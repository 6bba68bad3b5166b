#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/address.h"
#include "common/base/unique_fd.h"
#include "common/counters/balancer_counters.h"
#include "dataplane/balance/stable_hash.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/latencies.h"
#include "dataplane/proxy/block.h"
#include "dataplane/proxy/held_router.h"
#include "dataplane/proxy/limits.h"
#include "dataplane/proxy/routing.h"
#include "dataplane/proxy/session.h"
#include "dataplane/proxy/splice_pipe.h"
#include "dataplane/proxy/upstream.h"
#include "dataplane/shard/event_loop.h"
#include "dataplane/shard/timer_wheel.h"

namespace gocomet::dataplane {

// One thread with all that it needs to serve: loop, listener, sessions, connections to workers and
// the present routing. Shards share nothing but routings and endpoints. The process must ignore
// SIGPIPE.
class Shard {
 public:
  struct Hooks {
    // Called on the shard's thread; must not block.
    std::function<void(const EndpointPointer&)> refused;  // Once, until its flag is cleared.
    // It has failed failures_to_tell times in a row.
    std::function<void(const EndpointPointer&)> failing;
    std::function<void()> nothing_in_flight;  // With a draining endpoint.
    std::function<void()> drained;            // After Drain: the last session has ended.
  };

  Shard(int index, const ProxySettings& settings, Hooks hooks);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Before Start. Tells `log`, which outlives it, of each exchange.
  void LogTo(AccessLog::Lane& log) { access_log_ = &log; }
  // Before Start. Goes on with what was counted there.
  void CountIn(std::shared_ptr<ShardCounters> counters, std::shared_ptr<Latencies> latencies) {
    counters_ = std::move(counters);
    latencies_ = std::move(latencies);
  }
  void Start();
  // Any thread. `adopted` runs on the shard's once no request can go by an older routing any more.
  void Adopt(std::shared_ptr<const Routing> routing, std::function<void()> adopted);
  // Any thread. Accepts connections of these sockets, which are bound and listen, besides those of
  // earlier calls. Closes them once it drains.
  void AcceptFrom(std::vector<UniqueFd> listeners);
  // Any thread. Gives up those of them that are ours, after all who wait there are accepted.
  void StopAcceptingFrom(std::vector<int> listeners);
  // Any thread. Accepts nothing more, and ends each connection after its present request or the
  // next, or once it was idle for a while. Where nobody else listens on the sockets, those who wait
  // in their queues are accepted first: closing would reset them.
  enum class Waiting : uint8_t { kAccept, kLeaveToSuccessor };
  void Drain(Waiting waiting);
  // Any thread. Ends the thread, and with it all connections.
  void Stop();

  // What the thread counts. Any thread may read it.
  uint64_t connections() const {
    return connections_.load(std::memory_order_relaxed);
  }  // Open now.
  const ShardCounters& counters() const { return *counters_; }
  const Latencies& latencies() const { return *latencies_; }

  // --- For sessions, on the shard's thread.
  size_t index() const { return index_; }
  event_base* base() { return loop_.base(); }
  const Limits& limits() const { return settings_.limits; }
  const Forwarding& forwarding() const { return settings_.forwarding; }
  const Routing& routing() const { return *routing_; }
  const HeldRouter& router() const { return router_; }
  UpstreamPool& upstreams() { return upstreams_; }
  // Has it used by others, unless nobody does before it is idle for too long.
  void Keep(std::unique_ptr<Upstream> upstream);
  BlockPool& blocks() { return blocks_; }
  TextPool& texts() { return texts_; }
  SplicePipePool& pipes() { return pipes_; }
  ShardCounters& mutable_counters() { return *counters_; }
  Latencies& mutable_latencies() { return *latencies_; }
  AccessLog::Lane* access_log() { return access_log_; }  // Null where there is none.
  const Hooks& hooks() const { return hooks_; }
  bool draining() const { return draining_; }
  // Good until the next call.
  std::string_view NewRequestId();
  // For choices, not for secrets.
  uint64_t NextRandom() { return Mix(random_ += 0x9e3779b97f4a7c15ULL); }
  // Right to a few milliseconds, and so cheap that deadlines may be set at will.
  std::chrono::steady_clock::time_point Now() const;
  // Right to nanoseconds, for what is measured.
  static std::chrono::steady_clock::time_point PreciseNow() {
    return std::chrono::steady_clock::now();
  }
  // Calls `timer` at `time`, unless it is due earlier already.
  void SetDeadline(TimerWheel::Timer& timer, TimerWheel::Time time);
  // Calls Continue once others have had their turn and the loop has looked for news.
  void ContinueLater(Session& session);
  void ForgetToContinue(Session& session) { std::erase(unfinished_, &session); }
  // Retries are at most a fifth of requests, so that they cannot double an overload.
  void EarnRetry();
  bool SpendRetry();
  // What a request met at an endpoint: it could not connect, for this errno; the connection broke;
  // it was answered whole. Each counts what there is to count.
  void ConnectFailed(const EndpointPointer& endpoint, int error);
  void ConnectionBroke(const EndpointPointer& endpoint);
  static void Served(Endpoint& endpoint) {
    if (endpoint.failures_in_row.load(std::memory_order_relaxed) != 0) {
      endpoint.failures_in_row.store(0, std::memory_order_relaxed);
    }
  }
  // Destroys it once its callback has returned to the loop.
  void Retire(Session& session);

 private:
  struct Listener {
    UniqueFd fd;
    event* readable = nullptr;
  };

  // Closes connections to workers that were idle for too long.
  class IdleSweep final : public TimerWheel::Timer {
   public:
    explicit IdleSweep(Shard& shard) : shard_(shard) {}

   private:
    void OnTime(TimerWheel::Time now) override;
    Shard& shard_;
  };

  static void OnAccept(evutil_socket_t fd, short what, void* self);
  static void OnResume(evutil_socket_t fd, short what, void* self);
  static void OnRetire(evutil_socket_t fd, short what, void* self);
  static void OnContinue(evutil_socket_t fd, short what, void* self);
  static void OnWheel(evutil_socket_t fd, short what, void* self);
  void WakeForWheel(TimerWheel::Time time);
  void FailedOnceMore(const EndpointPointer& endpoint) const;
  // False where nobody waits, or nobody can be taken now.
  bool Accept(int listener);
  void AcceptWaiting(int listener);
  void PauseAccepting();
  void StopAccepting(Waiting waiting);
  void ReportIfDrained();

  const ProxySettings settings_;
  const Hooks hooks_;
  const size_t index_;
  const std::string name_;
  EventLoop loop_;
  std::vector<Listener> listeners_;
  event* resume_timer_ = nullptr;
  event* retire_event_ = nullptr;
  event* continue_event_ = nullptr;
  event* wheel_event_ = nullptr;
  TimerWheel wheel_;
  TimerWheel::Time wheel_wake_ = TimerWheel::Time::max();  // When wheel_event_ comes.
  BlockPool blocks_;
  TextPool texts_;
  SplicePipePool pipes_;
  UpstreamPool upstreams_;
  IdleSweep idle_sweep_{*this};
  std::shared_ptr<const Routing> routing_;
  HeldRouter router_;                               // The routing's.
  std::vector<std::unique_ptr<Session>> sessions_;  // Each knows its place.
  std::vector<std::unique_ptr<Session>> retired_;
  std::deque<Session*> unfinished_;  // Those that gave way to others.
  std::atomic<uint64_t> connections_{0};
  std::shared_ptr<ShardCounters> counters_ = std::make_shared<ShardCounters>();
  std::shared_ptr<Latencies> latencies_ = std::make_shared<Latencies>();
  AccessLog::Lane* access_log_ = nullptr;
  std::string request_id_;
  uint64_t random_;  // Counts on; Mix makes it random (SplitMix64, G. Steele et al., 2014).
  double retries_earned_;
  bool draining_ = false;
  bool drained_ = false;  // And said so.
  std::thread thread_;
};

// A socket that listens on `address` together with those of other threads (SO_REUSEPORT).
absl::StatusOr<UniqueFd> Listen(const Address& address);
// One that may listen there, and does not yet.
absl::StatusOr<UniqueFd> Reserve(const Address& address);
absl::Status ListenOn(const UniqueFd& reserved, const Address& address);
// As many of them. ALREADY_EXISTS where another program listens there.
absl::StatusOr<std::vector<UniqueFd>> ListenAlone(const Address& address, int count);

}  // namespace gocomet::dataplane
