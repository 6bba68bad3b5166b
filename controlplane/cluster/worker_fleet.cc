#include "controlplane/cluster/worker_fleet.h"

#include <algorithm>
#include <mutex>

#include "common/base/random.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kRetryAfter{1};
constexpr int kLastLines = 20;

std::string Subject(const Worker& worker) { return Cat("worker/", worker.name()); }

}  // namespace

// The last lines of one worker, as they come from the driver's thread.
struct WorkerFleet::Diagnosis {
  std::string instance;
  std::mutex mutex;
  std::vector<std::string> lines;  // Guarded by mutex.
  std::unique_ptr<LogStream> stream;
};

WorkerFleet::WorkerFleet(RuntimeDriver& driver, Mailbox& mailbox, EventLog& events,
                         const Clock& clock, Hooks hooks)
    : driver_(driver), mailbox_(mailbox), events_(events), clock_(clock), hooks_(std::move(hooks)) {
  driver_.Watch([this] { mailbox_.Post([this] { Refresh(); }); });
  driver_.Listen([this](RuntimeNote note) {
    mailbox_.Post([this, note = std::move(note)] { OnNote(note); });
  });
}

WorkerFleet::~WorkerFleet() = default;

Worker* WorkerFleet::Find(const std::string& instance) {
  const auto found = places_.find(instance);
  return found == places_.end() ? nullptr : &workers_[found->second];
}

uint64_t WorkerFleet::BeginCall(Worker& worker, Operation operation) {
  worker.operation = operation;
  calls_[worker.instance] = ++last_call_;
  return last_call_;
}

Worker* WorkerFleet::EndCall(const std::string& instance, uint64_t call) {
  const auto under_way = calls_.find(instance);
  if (under_way == calls_.end() || under_way->second != call) return nullptr;
  calls_.erase(under_way);
  Worker* worker = Find(instance);
  if (worker != nullptr) worker->operation = Operation::kNone;
  return worker;
}

void WorkerFleet::Add(Worker worker) {
  places_[worker.instance] = workers_.size();
  workers_.push_back(std::move(worker));
}

// The last one takes its place.
void WorkerFleet::Forget(const std::string& instance) {
  const auto found = places_.find(instance);
  if (found == places_.end()) return;
  Worker& worker = workers_[found->second];
  gone_.push_back({worker.id, worker.name(), worker.service, worker.ordinal});
  changed_.erase(instance);
  calls_.erase(instance);
  remarks_.erase(instance);
  forgotten_[instance] = clock_.Steady();
  if (&worker != &workers_.back()) {
    worker = std::move(workers_.back());
    places_[worker.instance] = found->second;
  }
  workers_.pop_back();
  places_.erase(found);
  hooks_.changed();
}

absl::StatusOr<Worker*> WorkerFleet::Lookup(const std::string& id_or_name) {
  if (id_or_name.empty()) return absl::InvalidArgumentError("no worker is named");
  std::vector<Worker*> matches;
  for (Worker& worker : workers_) {
    if (worker.name() == id_or_name || worker.id == id_or_name) return &worker;
    if (worker.id.starts_with(id_or_name)) matches.push_back(&worker);
  }
  if (matches.size() == 1) return matches.front();
  if (matches.size() > 1) {
    return absl::InvalidArgumentError(
        Cat("'", id_or_name, "' is the beginning of ", matches.size(), " workers' ids"));
  }
  return absl::NotFoundError(Cat("there is no worker with the id or name '", id_or_name,
                                 "'; `gocometctl get workers` lists them"));
}

void WorkerFleet::Touch(const Worker& worker) {
  changed_.insert(worker.instance);
  hooks_.changed();
}

void WorkerFleet::Perform(const StartWorker& action, const ServiceDesire& wanted) {
  const ServiceDesire& desire = action.earlier && wanted.earlier ? *wanted.earlier : wanted;
  Worker worker;
  worker.instance = hooks_.new_instance ? hooks_.new_instance() : RandomHex(6);
  worker.service = action.service;
  worker.ordinal = action.ordinal;
  worker.port = action.port;
  worker.template_hash = desire.template_hash;
  worker.create_time = clock_.Wall();
  const uint64_t call = BeginCall(worker, Operation::kStart);
  if (const Worker* before = Find(action.successor_of)) {
    worker.crashes = before->crashes;
    worker.failure = before->failure;
    Forget(action.successor_of);
  }
  EnterState(worker, WorkerState::kPending, "", now());
  const bool is_elsewhere = !desire.spec.workload.endpoints.empty();
  if (is_elsewhere) {
    worker.port = 0;
    worker.address = FreeEndpoint(desire.spec);
  }

  WorkerLaunch launch;
  launch.instance = worker.instance;
  launch.service = worker.service;
  launch.ordinal = worker.ordinal;
  launch.port = worker.port;
  launch.bind_address = desire.spec.bind_address;
  launch.template_hash = worker.template_hash;
  launch.workload = desire.spec.workload;
  if (is_elsewhere) launch.endpoint = worker.address;
  launch.demo = desire.spec.demo;
  launch.token = hooks_.token(worker.instance);
  launch.stop_grace = desire.spec.stop_grace;

  Touch(worker);
  Add(std::move(worker));
  driver_.Start(launch,
                [this, instance = launch.instance, call](absl::StatusOr<RuntimeWorker> answer) {
                  mailbox_.Post([this, instance, call, answer = std::move(answer)] {
                    OnStarted(instance, call, answer);
                  });
                });
}

// The first that no worker stands for; "" where each has one.
std::string WorkerFleet::FreeEndpoint(const Service& service) const {
  for (const std::string& endpoint : service.workload.endpoints) {
    const bool taken = std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
      return worker.service == service.name && worker.address == endpoint;
    });
    if (!taken) return endpoint;
  }
  return "";
}

// While workers wait, how far the runtime is with what it does for them is their reason.
void WorkerFleet::OnNote(const RuntimeNote& note) {
  if (!note.kind.empty()) events_.Info(Cat("service/", note.service), note.kind, note.text);
  for (Worker& worker : workers_) {
    if (worker.service != note.service || worker.state != WorkerState::kPending) continue;
    worker.reason = note.text;
    Touch(worker);
  }
}

void WorkerFleet::GiveUpStarts(const std::function<bool(const Worker&)>& unwanted) {
  for (const Worker& worker : workers_) {
    if (worker.operation != Operation::kStart || !unwanted(worker)) continue;
    driver_.GiveUpStart(worker.instance);
  }
}

void WorkerFleet::OnStarted(const std::string& instance, uint64_t call,
                            absl::StatusOr<RuntimeWorker> answer) {
  Worker* worker = EndCall(instance, call);
  if (worker == nullptr) return Refresh();
  if (!answer.ok()) {
    Failure failure;
    failure.time = clock_.Wall();
    failure.cause = Cat("cannot start: ", MessageOf(answer.status()));
    ObserveStartFailure(*worker, failure, now());
    if (absl::IsCancelled(answer.status())) {
      events_.Info(Subject(*worker), "WorkerStartGivenUp", failure.cause);
    } else {
      events_.Error(Subject(*worker), "WorkerStartFailed", failure.cause);
    }
    Touch(*worker);
    return Refresh();  // A call that failed may have taken effect.
  }
  worker->handle = answer->handle;
  worker->id = answer->id;
  worker->address = answer->address;
  worker->balancer_address = answer->balancer_address;
  worker->image = answer->image;
  worker->pid = answer->pid;
  ObserveRun(*worker, answer->incarnation);
  EnterState(*worker, WorkerState::kStarting, "", now());
  events_.Info(Subject(*worker), "WorkerStarted",
               Cat("runs as ", worker->id, " on ", worker->address));
  Touch(*worker);
}

void WorkerFleet::Perform(const DrainWorker& action) {
  Worker* worker = Find(action.instance);
  if (worker == nullptr) return;
  const bool was_draining = worker->state == WorkerState::kDraining;
  if (!was_draining) EnterState(*worker, WorkerState::kDraining, action.reason, now());
  worker->reason = action.reason;
  worker->stop_wanted = true;
  worker->held = false;
  events_.Info(Subject(*worker), "WorkerDraining",
               Cat(worker->id, " takes no new requests: ", action.reason));
  Touch(*worker);
}

void WorkerFleet::Perform(const ReplaceWorker& action) {
  Worker* worker = Find(action.instance);
  if (worker == nullptr) return;
  worker->replace_requested = true;
  events_.Warning(Subject(*worker), "WorkerReplaced",
                  Cat(worker->id, " is replaced: ", action.reason));
  Touch(*worker);
}

void WorkerFleet::Perform(const StopWorker& action, const Service& spec) {
  Worker* worker = Find(action.instance);
  if (worker == nullptr) return;
  if (action.overdue) {
    events_.Warning(Subject(*worker), "DrainOverdue",
                    Cat(worker->id, " still had requests, or a balancer did not answer, after ",
                        spec.drain_timeout.count(), " ms; it is stopped now"));
  }
  const uint64_t call = BeginCall(*worker, Operation::kStop);
  Touch(*worker);
  driver_.Stop(worker->handle, spec.stop_grace,
               [this, instance = action.instance, call](absl::Status status) {
                 mailbox_.Post([this, instance, call, status = std::move(status)] {
                   if (Worker* stopped = EndCall(instance, call)) OnStopped(*stopped, status);
                 });
               });
}

void WorkerFleet::OnStopped(Worker& worker, const absl::Status& status) {
  if (!status.ok()) return CallFailed(worker, "stop", status);
  if (worker.state == WorkerState::kDraining) {
    EnterState(worker, WorkerState::kStopped, worker.reason, now());
    events_.Info(Subject(worker), "WorkerStopped", Cat(worker.id, " has stopped: ", worker.reason));
  }
  Touch(worker);
}

void WorkerFleet::Perform(const FailWorker& action, const Service& spec) {
  Worker* worker = Find(action.instance);
  if (worker == nullptr) return;
  Failure failure;
  failure.time = clock_.Wall();
  failure.cause = action.cause;
  if (worker->last_probe) {
    failure.cause +=
        Cat("; last probe, ", worker->last_probe->target, ": ", worker->last_probe->result);
  }
  ObserveStartFailure(*worker, failure, now());
  events_.Error(Subject(*worker), "WorkerNotReady", failure.cause);
  const uint64_t call = BeginCall(*worker, Operation::kStop);
  Touch(*worker);
  driver_.Stop(worker->handle, spec.stop_grace,
               [this, instance = action.instance, call](absl::Status status) {
                 mailbox_.Post([this, instance, call, status = std::move(status)] {
                   Worker* failed = EndCall(instance, call);
                   if (failed == nullptr) return;
                   if (!status.ok()) CallFailed(*failed, "stop", status);
                   Diagnose(*failed);
                 });
               });
}

void WorkerFleet::Perform(const RemoveWorker& action) {
  Worker* worker = Find(action.instance);
  if (worker == nullptr) return;
  const uint64_t call = BeginCall(*worker, Operation::kRemove);
  driver_.Remove(worker->handle, [this, instance = action.instance, call](absl::Status status) {
    mailbox_.Post([this, instance, call, status = std::move(status)] {
      if (Worker* removed = EndCall(instance, call)) OnRemoved(*removed, status);
    });
  });
}

void WorkerFleet::OnRemoved(Worker& worker, const absl::Status& status) {
  if (!status.ok()) return CallFailed(worker, "remove", status);
  worker.handle.clear();
  if (worker.state == WorkerState::kStopped) {
    const std::string instance = worker.instance;
    Forget(instance);
  }
  hooks_.changed();
}

void WorkerFleet::Perform(const ForgetWorker& action) { Forget(action.instance); }

void WorkerFleet::CallFailed(Worker& worker, const char* what, const absl::Status& status) {
  worker.retry_at = clock_.Steady() + kRetryAfter;
  events_.Warning(Subject(worker), "RuntimeCallFailed",
                  Cat("cannot ", what, " ", worker.id, ": ", MessageOf(status), "; tried again in ",
                      kRetryAfter.count(), " s"));
  Touch(worker);
  Refresh();
}

void WorkerFleet::ObserveProbe(const std::string& instance, const Probe& probe,
                               const HealthCheck& check) {
  Worker* worker = Find(instance);
  if (worker == nullptr) return;
  const WorkerState before = worker->state;
  const bool first = !worker->last_probe.has_value();
  if (gocomet::controlplane::ObserveProbe(*worker, probe, check, now())) {
    if (worker->state == WorkerState::kReady) {
      const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Wall() -
                                                                             worker->create_time);
      events_.Info(Subject(*worker), "WorkerReady",
                   before == WorkerState::kUnhealthy
                       ? Cat(worker->id, " answers its probes again")
                       : Cat(worker->id, " is ready, ", age.count(), " ms after its start"));
    } else {
      events_.Warning(Subject(*worker), "WorkerUnhealthy", worker->reason);
    }
    Touch(*worker);
  } else if (first) {
    hooks_.changed();
  }
}

void WorkerFleet::ObserveHello(const std::string& instance, uint64_t incarnation, int64_t pid) {
  Worker* worker = Find(instance);
  if (worker == nullptr) return;
  ObserveRun(*worker, incarnation);
  if (worker->pid == 0) worker->pid = pid;
  Touch(*worker);
}

// 0: neither the runtime nor the worker tells.
void WorkerFleet::ObserveRun(Worker& worker, uint64_t incarnation) {
  if (incarnation == 0 || worker.incarnation == incarnation) return;
  if (worker.incarnation != 0) {
    ++worker.generation;
    events_.Warning(Subject(worker), "WorkerRestarted",
                    Cat(worker.id, " was restarted by another program"));
  }
  worker.incarnation = incarnation;
  Touch(worker);
}

void WorkerFleet::Diagnose(Worker& worker) {
  worker.operation = Operation::kDiagnose;
  auto diagnosis = std::make_unique<Diagnosis>();
  Diagnosis* into = diagnosis.get();
  into->instance = worker.instance;
  auto stream = driver_.Logs(
      worker.handle, kLastLines, false,
      [into](RuntimeLogLine line) {
        const std::lock_guard hold(into->mutex);
        into->lines.push_back(std::move(line.text));
      },
      [this, into](const absl::Status&) {
        mailbox_.Post([this, into] {
          std::vector<std::string> lines;
          {
            const std::lock_guard hold(into->mutex);
            lines.swap(into->lines);
          }
          const std::string instance = into->instance;
          std::erase_if(diagnoses_, [into](const auto& d) { return d.get() == into; });
          OnDiagnosed(instance, std::move(lines));
        });
      });
  if (!stream.ok()) return OnDiagnosed(worker.instance, {});
  into->stream = *std::move(stream);
  diagnoses_.push_back(std::move(diagnosis));
}

void WorkerFleet::OnDiagnosed(const std::string& instance, std::vector<std::string> last_lines) {
  Worker* worker = Find(instance);
  if (worker == nullptr) return;
  worker->operation = Operation::kNone;
  if (worker->failure) {
    const bool was_generic = worker->failure->cause == LikelyCause(*worker->failure);
    worker->failure->last_log_lines = std::move(last_lines);
    if (was_generic) {
      worker->failure->cause = LikelyCause(*worker->failure);
      worker->reason = worker->failure->cause;
    }
  }
  Touch(*worker);
}

void WorkerFleet::NoteDrainVersion(uint64_t version) {
  for (Worker& worker : workers_) {
    if (worker.state == WorkerState::kDraining && worker.drain_version == 0) {
      worker.drain_version = version;
    }
  }
}

void WorkerFleet::RetryNow() {
  for (Worker& worker : workers_) {
    if (worker.state != WorkerState::kBackOff) continue;
    worker.crashes = 0;
    worker.next_start = clock_.Steady();
    worker.next_start_time = clock_.Wall();
    Touch(worker);
  }
}

void WorkerFleet::ForgetDiagnoses() { diagnoses_.clear(); }

void WorkerFleet::KillAll() {
  for (Worker& worker : workers_) {
    if (worker.handle.empty() || worker.operation == Operation::kRemove) continue;
    EnterState(worker, WorkerState::kStopped, "stopped at once", now());
    Perform(RemoveWorker{worker.instance});
  }
  std::vector<std::string> never_started;
  for (const Worker& w : workers_) {
    if (w.handle.empty() && w.operation != Operation::kStart) never_started.push_back(w.instance);
  }
  for (const std::string& instance : never_started) Forget(instance);
}

}  // namespace gocomet::controlplane
