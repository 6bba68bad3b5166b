#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "common/probe/prober.h"
#include "controlplane/cluster/balancer_fleet.h"
#include "controlplane/cluster/desired_index.h"
#include "controlplane/cluster/desired_state.h"
#include "controlplane/cluster/event_log.h"
#include "controlplane/cluster/mailbox.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/cluster/preview.h"
#include "controlplane/cluster/rollouts.h"
#include "controlplane/cluster/snapshot.h"
#include "controlplane/cluster/subscribers.h"
#include "controlplane/cluster/worker_fleet.h"
#include "controlplane/statistics/durations.h"
#include "controlplane/statistics/ledger.h"
#include "controlplane/store/store.h"

namespace gocomet::controlplane {

// The control plane's end of one worker's stream. Any thread; never blocks.
class WorkerStream {
 public:
  virtual ~WorkerStream() = default;
  virtual void SendSettings(const DemoWorker& settings) = 0;
  virtual void Acknowledge(uint64_t sequence) = 0;
  virtual void SendClusterStatistics(WallTime time, const std::vector<Ledger::WorkerRow>& rows) = 0;
  virtual void Close(const absl::Status& status) = 0;
};

struct WorkerHello {
  std::string instance;
  std::string worker_id;
  uint64_t incarnation = 0;
  int64_t pid = 0;
};

struct WorkerChange {
  enum class Type : uint8_t { kChanged, kRemoved } type = Type::kChanged;
  Worker worker;
};

// The one owner of the cluster's model. Everything else reaches it as a task in its mailbox, and
// everything that it wants done leaves it as a call that is answered through the mailbox: no lock
// guards the model, because nobody else touches it.
//
// Every method but mailbox() and ready() is for the owner's thread alone, that is: within Run, or
// in a posted task.
class Cluster {
 public:
  struct Options {
    // Names the content of the demo worker's program; a new one replaces all that run it.
    std::string worker_hash;
    // The same of the balancers' program.
    std::string balancer_hash = {};
    std::function<std::string(const std::string& instance)> token;
    ProcessSettings process;  // For rendering config texts.

    // What a simulation puts in the place of chance, of the network and of the plan itself.
    std::function<std::string()> new_instance = {};  // Unset: 12 random hex digits.
    // Is told what to probe; the results come by ObserveProbe. Unset: a prober of its own.
    std::function<void(std::vector<ProbeTarget>)> probe = {};
    std::function<Plan(const Desired&, std::span<const Worker>, std::span<const Balancer>,
                       SteadyTime)>
        plan = MakePlan;
  };

  Cluster(Options options, RuntimeDriver& driver, BalancerLauncher& launcher, Store& store,
          const Clock& clock, StoredState stored, Config config, LeftBalancers left_over);
  ~Cluster();

  // Owns the model until everything has stopped, or Detach.
  void Run();
  // Run in steps, for whoever moves the clock by hand: once Begin, then Step at any time, and at
  // the latest when wake() has come. Step does what there is to do now, without waiting; false
  // where Run would return.
  void Begin();
  bool Step();
  SteadyTime wake() const;
  Mailbox& mailbox() { return mailbox_; }

  // Drains and removes all; Run returns then.
  void Stop();
  // The same at once, without draining.
  void StopNow();
  // Run returns; everything goes on without us.
  void Detach();

  // Runs `task` on the owner's thread once `delay` has passed; never after Run has returned.
  void After(std::chrono::milliseconds delay, Mailbox::Task task);

  // --- Desired state
  DesiredState& desired_state() { return desired_state_; }
  // What a change to `config` would do.
  Preview PreviewChange(const Config& config) const;
  void ScaleService(const std::string& name, uint32_t replicas, ConfigChange change,
                    DesiredState::Done done);

  // --- Rollouts
  Rollouts& rollouts() { return rollouts_; }
  // Each answers once the change is durable. FAILED_PRECONDITION says what the state allows
  // instead.
  using RolloutDone = Rollouts::Done;
  void RestartService(const std::string& name, const Asked& asked, RolloutDone done);
  using RolloutVerb = void (Rollouts::*)(const std::string&, const Asked&, RolloutDone);
  // Pause, Resume, Abort or Undo.
  void ChangeRollout(RolloutVerb verb, const std::string& service, const Asked& asked,
                     RolloutDone done);
  // The only service where `name` is empty.
  absl::StatusOr<const Service*> LookupService(const std::string& name) const;

  // --- Workers
  WorkerFleet& workers() { return workers_; }
  RuntimeKind runtime() const { return runtime_; }
  bool IsUpToDate(const Worker& worker) const;
  absl::StatusOr<Worker*> RestartWorker(const std::string& id);
  absl::StatusOr<Worker*> Drain(const std::string& id);
  absl::StatusOr<Worker*> Undrain(const std::string& id);
  void ObserveProbe(const std::string& instance, const Probe& probe);
  Subscribers<WorkerChange>& worker_subscribers() { return worker_subscribers_; }

  absl::Status ConnectWorker(const WorkerHello& hello, std::shared_ptr<WorkerStream> stream);
  void DisconnectWorker(const std::string& instance, const WorkerStream* stream);
  void ReportWorker(const WorkerHello& hello, const std::shared_ptr<WorkerStream>& stream,
                    uint64_t sequence, const RequestCounters& counters,
                    bool want_cluster_statistics);

  // --- Balancers
  BalancerFleet& balancers() { return balancers_; }
  void ReportBalancer(const BalancerHello& hello, const std::shared_ptr<BalancerStream>& stream,
                      const BalancerReport& report);
  Subscribers<Balancer>& balancer_subscribers() { return balancer_subscribers_; }

  // --- Statistics and events
  Ledger& ledger() { return ledger_; }
  const Durations& durations() const { return durations_; }
  Store& store() { return store_; }
  EventLog& events() { return events_; }
  const Clock& clock() const { return clock_; }

  // Whether every wanted worker and balancer is ready and up to date, and every balancer uses
  // exactly these workers.
  bool Converged() const;
  // The same as of the last turn. Any thread.
  bool ready() const { return was_converged_.load(std::memory_order_relaxed); }
  bool stopping() const { return stopping_; }

 private:
  std::shared_ptr<const DesiredIndex> DesiredNow() const;
  Desired DesiredFrom(const Config& config) const;
  void PlanAgain();
  std::string TemplateHashOf(const Service& service, uint64_t generation) const;
  DesiredState::Hooks DesiredStateHooks();
  Rollouts::Hooks RolloutHooks();

  // Plans and performs until nothing is left to do now, and tells those who watch.
  void Turn();
  void Perform(const Action& action, const DesiredIndex& wanted);
  void PublishSnapshot(const Desired& desired);
  void SetProbeTargets(const DesiredIndex& wanted);
  void PublishChanges();
  void RunTasks(std::deque<Mailbox::Task> tasks);
  void OnNewRevision(const Revision& revision, const std::vector<RolloutRecord>& rollouts);
  // Takes what balancers have seen into the ledger; what is new is in the write.
  StoreWrite Balanced(const std::vector<BalancedTotals>& all);
  void CountDurations(const BalancerReport& report);
  void CountBalanced(const std::vector<BalancedTotals>& totals);
  bool MayBe(const Worker& worker, const std::string& id) const;
  bool AdoptionSettled(const Desired& desired) const;
  // Whether others run the workers of a service.
  bool IsElsewhere(const Service& service) const;
  bool Finished() const;

  const Options options_;
  const RuntimeKind runtime_;
  Store& store_;
  const Clock& clock_;
  Mailbox mailbox_;
  EventLog events_;
  Ledger ledger_;
  Durations durations_;
  DesiredState desired_state_;
  Rollouts rollouts_;
  mutable std::shared_ptr<const DesiredIndex> desired_;  // Made when it is needed.
  WorkerFleet workers_;
  BalancerFleet balancers_;

  std::map<std::string, std::shared_ptr<WorkerStream>> worker_streams_;  // By instance.
  std::shared_ptr<const Snapshot> snapshot_;
  uint64_t last_version_ = 0;
  std::vector<ProbeTarget> probe_targets_;
  std::multimap<SteadyTime, Mailbox::Task> timers_;
  SteadyTime next_turn_{};
  SteadyTime next_refresh_{};
  LeftBalancers left_over_;  // Balancers of an earlier control plane, until Run.
  SteadyTime started_{};
  bool adoption_settled_ = false;
  bool rollouts_begun_ = false;
  struct LivenessPace {
    uint32_t restarts = 0;  // In a row, without a longer time of health.
    SteadyTime last{};
  };
  std::map<std::string, LivenessPace> liveness_;  // By service.
  bool dirty_ = true;
  bool stopping_ = false;
  bool detached_ = false;
  std::atomic<bool> was_converged_{false};
  std::optional<SteadyTime> give_up_at_;

  Subscribers<WorkerChange> worker_subscribers_;
  Subscribers<Balancer> balancer_subscribers_;

  std::unique_ptr<Prober>
      prober_;  // Null where others probe. Last: its thread posts to what is above.
};

}  // namespace gocomet::controlplane
