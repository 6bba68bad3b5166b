#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/shard/shard.h"
#include "tests/dataplane/loopback.h"

namespace gocomet::dataplane {

// A running shard that routes to the given workers, without health checks and control plane.
class OneShard {
 public:
  explicit OneShard(const std::vector<Address>& workers, const ProxySettings& settings = {},
                    AccessLog::Lane* access_log = nullptr);

  const Address& address() const { return address_; }
  Peer Connect() const { return Peer::ConnectTo(address_); }
  // Whether connections are refused now.
  bool Refuses() const;
  // The socket that it listens on; good until it drains.
  int listener() const { return listener_; }
  Shard& shard() { return *shard_; }
  Endpoint& endpoint(size_t i) { return *endpoints_[i]; }
  // Waits until it routes to these of its workers, and only these.
  void RouteTo(const std::vector<size_t>& workers);
  // Waits until it routes by this.
  void Adopt(std::shared_ptr<const Routing> routing);
  const EndpointPointer& endpoint_pointer(size_t i) const { return endpoints_[i]; }
  // Runs `task` on the shard's thread.
  void Run(std::function<void()> task) { shard_->Adopt(routing_, std::move(task)); }
  // Waits until it has seen all that had been sent to it before: both turns of its loop that follow
  // have ended.
  void HaveItsTurn();
  int refusals() const { return refusals_; }
  // Of times an endpoint failed kFailuresToTell times in a row.
  static constexpr uint32_t kFailuresToTell = 3;
  int times_failing() const { return times_failing_; }
  bool drained() const { return drained_; }
  int times_nothing_in_flight() const { return nothing_in_flight_; }

 private:
  void WaitForOneTurn();

  Address address_;
  int listener_ = -1;
  std::vector<EndpointPointer> endpoints_;
  RoutingTablePointer table_;
  std::shared_ptr<const Routing> routing_;
  std::atomic<int> refusals_{0};
  std::atomic<int> times_failing_{0};
  std::atomic<int> nothing_in_flight_{0};
  std::atomic<bool> drained_{false};
  std::unique_ptr<Shard> shard_;
};

}  // namespace gocomet::dataplane
