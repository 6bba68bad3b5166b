#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/cluster/event_log.h"
#include "controlplane/cluster/mailbox.h"
#include "controlplane/cluster/plan.h"
#include "controlplane/cluster/transitions.h"
#include "controlplane/model/worker.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

// The workers that exist, and the runtime calls on their behalf. Confined to the owner's thread:
// the driver's answers come back through the mailbox.
class WorkerFleet {
 public:
  struct Hooks {
    std::function<std::string(const std::string& instance)> token;  // For a new worker.
    std::function<void()> changed;                                  // A record changed; plan again.
    std::function<std::string()> new_instance = {};                 // Unset: 12 random hex digits.
  };

  WorkerFleet(RuntimeDriver& driver, Mailbox& mailbox, EventLog& events, const Clock& clock,
              Hooks hooks);
  ~WorkerFleet();

  // In no order.
  std::span<const Worker> workers() const { return workers_; }
  // By instance; null where there is none.
  Worker* Find(const std::string& instance);
  // By id, unambiguous prefix of the id, or name. NOT_FOUND and INVALID_ARGUMENT say what exists.
  absl::StatusOr<Worker*> Lookup(const std::string& id_or_name);

  // The planner's actions.
  void Perform(const StartWorker& action, const ServiceDesire& wanted);
  void Perform(const DrainWorker& action);
  void Perform(const ReplaceWorker& action);
  void Perform(const StopWorker& action, const Service& spec);
  void Perform(const FailWorker& action, const Service& spec);
  void Perform(const RemoveWorker& action);
  void Perform(const ForgetWorker& action);

  void ObserveProbe(const std::string& instance, const Probe& probe, const HealthCheck& check);
  // Its process said hello.
  void ObserveHello(const std::string& instance, uint64_t incarnation, int64_t pid);

  // Asks the runtime what there is; the answer changes the records. Asking again meanwhile is
  // remembered and done once.
  void Refresh();
  // True once the first answer has come: until then nothing may be started.
  bool listed() const { return listed_; }
  bool runtime_available() const { return runtime_problem_.empty(); }
  const std::string& runtime_problem() const { return runtime_problem_; }

  // A snapshot of this version says who drains.
  void NoteDrainVersion(uint64_t version);
  // What failed under the old config is tried again under the new one, without further waiting.
  void RetryNow();

  // Those of these that still wait for their image wait no longer.
  void GiveUpStarts(const std::function<bool(const Worker&)>& unwanted);

  // Ends the log streams that are open: the driver is about to go.
  void ForgetDiagnoses();

  // Everything at once and without draining.
  void KillAll();

  // Marks for the end of the turn what changed since the last call, and forgets it.
  std::set<std::string> TakeChanged() { return std::exchange(changed_, {}); }
  struct Gone {
    std::string id, name, service;
    uint32_t ordinal;
  };
  std::vector<Gone> TakeGone() { return std::exchange(gone_, {}); }
  // Notes that someone changed a record of this worker.
  void Touch(const Worker& worker);

  Now now() const { return {clock_.Steady(), clock_.Wall()}; }

 private:
  struct Diagnosis;

  std::string FreeEndpoint(const Service& service) const;
  void OnNote(const RuntimeNote& note);
  // Marks the record; the number goes with the call.
  uint64_t BeginCall(Worker& worker, Operation operation);
  // The worker that the call is under way for; null where it is gone, or for an answer that came
  // before.
  Worker* EndCall(const std::string& instance, uint64_t call);

  void OnStarted(const std::string& instance, uint64_t call, absl::StatusOr<RuntimeWorker> answer);
  void OnStopped(Worker& worker, const absl::Status& status);
  void OnRemoved(Worker& worker, const absl::Status& status);
  void OnListed(uint64_t call, SteadyTime asked, absl::StatusOr<std::vector<RuntimeWorker>> answer);

  void Adopt(const RuntimeWorker& seen);
  void CompareWith(Worker& worker, const RuntimeWorker& seen);
  void ObserveRun(Worker& worker, uint64_t incarnation);
  void ObserveRemark(Worker& worker, const std::string& remark);
  void RemoveOrphan(const RuntimeWorker& seen);
  // Reads its last words, then lets it be removed.
  void Diagnose(Worker& worker);
  void OnDiagnosed(const std::string& instance, std::vector<std::string> last_lines);
  void CallFailed(Worker& worker, const char* what, const absl::Status& status);
  void Add(Worker worker);
  void Forget(const std::string& instance);

  RuntimeDriver& driver_;
  Mailbox& mailbox_;
  EventLog& events_;
  const Clock& clock_;
  const Hooks hooks_;

  std::vector<Worker> workers_;
  std::unordered_map<std::string, size_t> places_;  // In workers_, by instance.
  std::vector<std::unique_ptr<Diagnosis>> diagnoses_;
  std::unordered_map<std::string, uint64_t> calls_;  // Under way, by instance.
  uint64_t last_call_ = 0;
  std::map<std::string, uint64_t> orphans_;     // Calls that remove them, by handle.
  std::map<std::string, std::string> remarks_;  // The runtime's, by instance; none is empty.
  std::set<std::string> changed_;
  std::vector<Gone> gone_;
  // When instances were forgotten: an answer to an earlier question may still know them.
  std::map<std::string, SteadyTime> forgotten_;

  bool listed_ = false;
  uint64_t listing_ = 0;  // The call that is under way; 0: none.
  bool list_again_ = false;
  std::string runtime_problem_;
};

}  // namespace gocomet::controlplane
