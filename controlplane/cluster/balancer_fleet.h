#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "common/counters/sparse_durations.h"
#include "controlplane/cluster/event_log.h"
#include "controlplane/cluster/mailbox.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/cluster/snapshot.h"
#include "controlplane/model/worker.h"

namespace gocomet::controlplane {

// A balancer process as whoever runs it sees it.
struct BalancerProcess {
  std::string name;
  std::string address;
  uint32_t threads = 1;
  int64_t pid = 0;
  WallTime start_time{};
  std::string program;  // Names the content of what it runs; empty where unknown.
};

struct BalancerExit {
  std::string cause;
  // Of each worker, to the end. DATA_LOSS where it left nothing that can be read.
  absl::StatusOr<std::vector<BalancedTotals>> counted = std::vector<BalancedTotals>();
  // With status 0, or nobody can know: it is not our child.
  bool clean = false;
};

// What an earlier control plane left of its balancers.
struct LeftBalancers {
  std::vector<BalancerProcess> running;
  std::vector<BalancerProcess> ended;    // With something left on the disk.
  std::vector<BalancedTotals> counted;   // By those that do not run any more.
  std::vector<absl::Status> unreadable;  // Why what others counted is not there.
};

// Runs balancer processes. Start answers by callback on a thread of its own; the rest returns at
// once.
class BalancerLauncher {
 public:
  virtual ~BalancerLauncher() = default;
  // Names the content of what Start starts.
  virtual std::string program() const { return ""; }
  // Called once, before anything else.
  virtual LeftBalancers Adopt() = 0;
  // Takes over from one that runs on the same port, where there is one.
  virtual void Start(const std::string& name, const std::string& address, uint32_t threads,
                     std::function<void(absl::StatusOr<BalancerProcess>)> done) = 0;
  // SIGTERM (drain) or SIGKILL. Nothing where it does not run.
  virtual void Signal(const std::string& name, int signal) = 0;
  // Deletes what it left on the disk, before anything that is asked later. Nothing while it runs.
  virtual void Forget(const std::string& name) = 0;
  // `exited(name, pid, exit)`: it ended; called once per started or adopted process.
  virtual void Watch(std::function<void(std::string, int64_t, BalancerExit)> exited) = 0;
};

// The control plane's end of one balancer's stream. Any thread; never blocks.
class BalancerStream {
 public:
  virtual ~BalancerStream() = default;
  // Of several unsent snapshots only the newest is sent.
  virtual void SendSnapshot(std::shared_ptr<const Snapshot> snapshot) = 0;
  virtual void AcknowledgeReport(uint64_t sequence) = 0;
  virtual void Close(const absl::Status& status) = 0;
};

struct BalancerHello {
  std::string name;
  uint64_t incarnation = 0;
  int64_t pid = 0;
  std::string version;
};

struct BalancerReport {
  uint64_t sequence = 0;
  std::vector<Balancer::EndpointView> endpoints;
  uint64_t connections = 0;
  uint64_t requests = 0;
  uint64_t own_errors = 0;  // 5xx that it answered itself.
  // One of each per endpoint.
  std::vector<BalancedTotals> totals;
  std::vector<SparseDurations> durations;
};

// The balancer processes that exist and what they said last. Confined to the owner's thread.
class BalancerFleet {
 public:
  struct Hooks {
    std::function<void()> changed;
    // What a balancer that has ended had counted.
    std::function<void(const std::vector<BalancedTotals>&)> counted;
  };

  BalancerFleet(BalancerLauncher& launcher, Mailbox& mailbox, EventLog& events, const Clock& clock,
                Hooks hooks);

  std::span<const Balancer> balancers() const { return balancers_; }
  const Balancer* Find(const std::string& name) const;

  // What an earlier control plane left running, or has left on the disk.
  void Adopt(const LeftBalancers& left);
  void Perform(const StartBalancer& action);
  void Perform(const StopBalancer& action);
  void Perform(const ForgetBalancer& action);
  void KillAll();

  // A stream of a balancer: `stream` stays until Disconnect with the same pointer. A second stream
  // of the same balancer ends the first.
  absl::Status Connect(const BalancerHello& hello, std::shared_ptr<BalancerStream> stream);
  void Disconnect(const std::string& name, const BalancerStream* stream);
  void Acknowledge(const std::string& name, const BalancerStream* stream, uint64_t version,
                   const std::string& refusal);
  // False where the stream is not the balancer's present one: the report counts for nothing.
  bool Report(const std::string& name, const BalancerStream* stream, const BalancerReport& report);

  // Sent to all who are connected, and to each one that connects later.
  void Publish(std::shared_ptr<const Snapshot> snapshot);

  // Requests that balancers have with it, as they said last.
  uint64_t InFlight(const std::string& worker_id) const;

  std::set<std::string> TakeChanged() { return std::exchange(changed_names_, {}); }

 private:
  struct Session {
    std::string name;
    std::shared_ptr<BalancerStream> stream;
  };

  void SetEndpoints(Balancer& balancer, std::vector<Balancer::EndpointView> endpoints);
  Balancer* FindMutable(const std::string& name);
  Balancer& Add(const BalancerProcess& process);
  Balancer* OfStream(const std::string& name, const BalancerStream* stream);
  void EnterState(Balancer& balancer, BalancerState state, std::string reason);
  void OnStarted(const std::string& name, const absl::StatusOr<BalancerProcess>& answer);
  void OnExited(const std::string& name, int64_t pid, const BalancerExit& exit);
  // Another process on the same port serves, or is about to.
  bool HasSuccessor(const Balancer& balancer) const;
  void Touch(const Balancer& balancer);

  BalancerLauncher& launcher_;
  Mailbox& mailbox_;
  EventLog& events_;
  const Clock& clock_;
  const Hooks hooks_;

  std::vector<Balancer> balancers_;
  std::unordered_map<std::string, uint64_t> in_flight_;  // By worker; those above 0.
  std::vector<Session> sessions_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::set<std::string> changed_names_;
};

}  // namespace gocomet::controlplane
