// The part of the owner that answers what people, balancers and workers ask of it.
#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/config/config_text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rollout/template_hash.h"

namespace gocomet::controlplane {
namespace {

absl::Status NotThatWorker(const WorkerHello& hello) {
  return AtField("hello.worker_id",
                 absl::PermissionDeniedError(Cat("hello.worker_id: the instance '", hello.instance,
                                                 "' is not worker '", hello.worker_id, "'")));
}

absl::Status RunsElsewhere(const std::string& service) {
  return absl::FailedPreconditionError(
      Cat("GoComet does not run the workers of ", service, "; restart them where they run"));
}

absl::Status IsStopping() {
  return absl::FailedPreconditionError(
      "the control plane is stopping everything; start it again first");
}

// Before a further restart of an unhealthy worker: 10 s, 20 s, 40 s … 10 min.
constexpr std::chrono::seconds kLivenessPause{10};

}  // namespace

std::string Cluster::TemplateHashOf(const Service& service, uint64_t generation) const {
  return TemplateHash(service, {runtime_, options_.worker_hash, generation});
}

DesiredState::Hooks Cluster::DesiredStateHooks() {
  return {[this](const Revision& revision, const ConfigChange& change) {
            return rollouts_.Prepare(revision, change);
          },
          [this](const Revision& revision, const std::vector<RolloutRecord>& rollouts) {
            OnNewRevision(revision, rollouts);
          }};
}

Rollouts::Hooks Cluster::RolloutHooks() {
  return {[this](const Service& service, uint64_t generation) {
            return TemplateHashOf(service, generation);
          },
          [this](const std::string& service) {
            const auto workers = workers_.workers();
            return static_cast<uint32_t>(
                std::count_if(workers.begin(), workers.end(), [&service](const Worker& w) {
                  return w.service == service && w.takes_requests();
                }));
          },
          [this](const Config& config) {
            return RenderConfig({config, options_.process});
          },
          [this](const std::string& service) {
            return std::chrono::ceil<std::chrono::microseconds>(
                durations_.Recent(service, clock_.Steady()).Quantile(0.99));
          },
          [this](const std::string& service, const std::string& template_hash) {
            SparseDurations sum;
            for (const Worker& worker : workers_.workers()) {
              if (worker.service != service || worker.template_hash != template_hash) continue;
              if (const SparseDurations* own = durations_.OfWorker(worker.id)) sum.Add(*own);
            }
            return std::chrono::ceil<std::chrono::microseconds>(sum.Quantile(0.99));
          },
          [this] { PlanAgain(); }};
}

Desired Cluster::DesiredFrom(const Config& config) const {
  Desired desired;
  for (const Service& service : config.services) {
    ServiceDesire& desire = desired.services.emplace_back();
    desire.spec = service;
    rollouts_.Shape(desire);
    const auto pace = liveness_.find(service.name);
    if (pace != liveness_.end()) {
      desire.next_liveness_restart =
          pace->second.last + kLivenessPause * BackOffDelay(pace->second.restarts).count();
    }
  }
  desired.routes = config.routes;
  desired.balancers = config.balancers;
  desired.balancer_program = options_.balancer_hash;
  desired.stopping = stopping_;
  return desired;
}

std::shared_ptr<const DesiredIndex> Cluster::DesiredNow() const {
  if (!desired_) desired_ = std::make_shared<DesiredIndex>(DesiredFrom(desired_state_.config()));
  return desired_;
}

bool Cluster::IsUpToDate(const Worker& worker) const {
  const std::shared_ptr<const DesiredIndex> wanted = DesiredNow();
  const ServiceDesire* desire = wanted->Find(worker.service);
  return desire != nullptr && gocomet::controlplane::IsUpToDate(worker, *desire);
}

Preview Cluster::PreviewChange(const Config& config) const {
  return MakePreview(DesiredNow()->desired(), DesiredFrom(config), workers_.workers(),
                     balancers_.balancers());
}

absl::StatusOr<const Service*> Cluster::LookupService(const std::string& name) const {
  const std::vector<Service>& services = desired_state_.config().services;
  if (name.empty()) {
    if (services.size() == 1) return &services.front();
    return InvalidField("name", Cat("there are ", services.size(), " services; say which one"));
  }
  for (const Service& service : services) {
    if (service.name == name) return &service;
  }
  return absl::NotFoundError(
      Cat("there is no service '", name, "'; `gocometctl get services` lists them"));
}

void Cluster::ScaleService(const std::string& name, uint32_t replicas, ConfigChange change,
                           DesiredState::Done done) {
  const auto service = LookupService(name);
  if (!service.ok()) return done(service.status());
  if (replicas > kWorkersMax) {
    return done(InvalidField("replicas", Cat("must be 0 to ", kWorkersMax, ", is ", replicas)));
  }
  if (!(*service)->workload.endpoints.empty()) {
    return done(InvalidField("replicas", Cat("of ", (*service)->name,
                                             " are its endpoints, which others run; add or remove "
                                             "an endpoint in the config")));
  }
  change.config = desired_state_.config();
  for (Service& candidate : change.config.services) {
    if (candidate.name == (*service)->name) candidate.replicas = replicas;
  }
  change.config_yaml = RenderConfig({change.config, options_.process});
  const ParsedConfig checked = ParseConfig(change.config_yaml, "");
  if (!checked.ok()) {
    return done(InvalidField("replicas", checked.problems.front().message));
  }
  desired_state_.Change(std::move(change), std::move(done));
}

bool Cluster::IsElsewhere(const Service& service) const {
  return runtime_ == RuntimeKind::kExternal || !service.workload.endpoints.empty();
}

void Cluster::RestartService(const std::string& name, const Asked& asked, RolloutDone done) {
  if (stopping_) return done(IsStopping());
  if (const auto service = LookupService(name); service.ok() && IsElsewhere(**service)) {
    return done(RunsElsewhere((*service)->name));
  }
  rollouts_.Restart(name, asked, std::move(done));
}

void Cluster::ChangeRollout(RolloutVerb verb, const std::string& service, const Asked& asked,
                            RolloutDone done) {
  if (stopping_) return done(IsStopping());
  (rollouts_.*verb)(service, asked, std::move(done));
}

absl::StatusOr<Worker*> Cluster::RestartWorker(const std::string& id) {
  auto worker = workers_.Lookup(id);
  if (!worker.ok()) return worker;
  if (const auto service = LookupService((*worker)->service);
      service.ok() && IsElsewhere(**service)) {
    return RunsElsewhere((*worker)->service);
  }
  if ((*worker)->state == WorkerState::kBackOff) {
    (*worker)->next_start = clock_.Steady();
  } else if (!(*worker)->stop_wanted) {
    (*worker)->replace_requested = true;
  }
  events_.Info(Cat("worker/", (*worker)->name()), "RestartRequested", "it is replaced");
  workers_.Touch(**worker);
  return worker;
}

absl::StatusOr<Worker*> Cluster::Drain(const std::string& id) {
  auto worker = workers_.Lookup(id);
  if (!worker.ok()) return worker;
  Worker& record = **worker;
  if (record.held || record.stop_wanted) return worker;
  if (record.state != WorkerState::kReady && record.state != WorkerState::kUnhealthy) {
    return absl::FailedPreconditionError(
        Cat("worker ", record.name(), " is ", ToString(record.state), " and takes no requests"));
  }
  EnterState(record, WorkerState::kDraining, "drained by an operator", workers_.now());
  record.held = true;
  record.drain_version = 0;
  events_.Info(Cat("worker/", record.name()), "WorkerHeld",
               "takes no new requests until undrained");
  workers_.Touch(record);
  return worker;
}

absl::StatusOr<Worker*> Cluster::Undrain(const std::string& id) {
  auto worker = workers_.Lookup(id);
  if (!worker.ok()) return worker;
  Worker& record = **worker;
  if (!record.held) {
    return absl::FailedPreconditionError(Cat("worker ", record.name(), " is ",
                                             ToString(record.state),
                                             " and was not drained by an operator"));
  }
  record.held = false;
  record.drain_version = 0;
  EnterState(record, WorkerState::kReady, "", workers_.now());
  events_.Info(Cat("worker/", record.name()), "WorkerUndrained", "takes requests again");
  workers_.Touch(record);
  return worker;
}

void Cluster::OnNewRevision(const Revision& revision, const std::vector<RolloutRecord>& rollouts) {
  PlanAgain();
  events_.Info("cluster", "ConfigApplied",
               Cat("revision ", revision.number, " by ", revision.author, " (", revision.source,
                   ")", revision.reason.empty() ? "" : ": ", revision.reason));
  rollouts_.Take(rollouts);
  const std::shared_ptr<const DesiredIndex> wanted = DesiredNow();
  for (const auto& [instance, stream] : worker_streams_) {
    const Worker* worker = workers_.Find(instance);
    const ServiceDesire* desire = worker ? wanted->Find(worker->service) : nullptr;
    if (desire != nullptr) stream->SendSettings(desire->spec.demo);
  }
  workers_.RetryNow();
  workers_.GiveUpStarts([&](const Worker& worker) {
    const ServiceDesire* desire = wanted->Find(worker.service);
    return desire == nullptr || !gocomet::controlplane::IsUpToDate(worker, *desire);
  });
}

// Whether a worker may call itself that: while its start is not answered its id is not known here,
// and no other worker's is allowed.
bool Cluster::MayBe(const Worker& worker, const std::string& id) const {
  if (!worker.id.empty()) return worker.id == id;
  const auto workers = workers_.workers();
  return std::none_of(workers.begin(), workers.end(),
                      [&](const Worker& other) { return other.id == id; });
}

absl::Status Cluster::ConnectWorker(const WorkerHello& hello,
                                    std::shared_ptr<WorkerStream> stream) {
  const Worker* worker = workers_.Find(hello.instance);
  if (worker == nullptr) {
    return AtField("hello.instance", absl::NotFoundError(Cat("no worker with the instance '",
                                                             hello.instance, "' is wanted")));
  }
  if (!MayBe(*worker, hello.worker_id)) return NotThatWorker(hello);
  std::shared_ptr<WorkerStream>& slot = worker_streams_[hello.instance];
  if (slot) slot->Close(absl::AbortedError("another stream of this worker took over"));
  slot = std::move(stream);
  const std::shared_ptr<const DesiredIndex> wanted = DesiredNow();
  if (const ServiceDesire* desire = wanted->Find(worker->service)) {
    slot->SendSettings(desire->spec.demo);
  }
  workers_.ObserveHello(hello.instance, hello.incarnation, hello.pid);
  return absl::OkStatus();
}

void Cluster::DisconnectWorker(const std::string& instance, const WorkerStream* stream) {
  const auto found = worker_streams_.find(instance);
  if (found != worker_streams_.end() && found->second.get() == stream) worker_streams_.erase(found);
}

void Cluster::ReportWorker(const WorkerHello& hello, const std::shared_ptr<WorkerStream>& stream,
                           uint64_t sequence, const RequestCounters& counters,
                           bool want_cluster_statistics) {
  const Worker* worker = workers_.Find(hello.instance);
  if (worker != nullptr && !MayBe(*worker, hello.worker_id)) {
    return stream->Close(NotThatWorker(hello));
  }
  WorkerTotals totals;
  totals.worker_id = hello.worker_id;
  totals.incarnation = hello.incarnation;
  totals.worker_name = worker != nullptr ? worker->name() : "";
  totals.service = worker != nullptr ? worker->service : "";
  totals.sequence = sequence;
  totals.counters = counters;
  totals.report_time = clock_.Wall();
  StoreWrite write;
  const Ledger::Applied applied = ledger_.ApplyReport(totals);
  if (applied.refusal == Ledger::Refusal::kBackwards ||
      applied.refusal == Ledger::Refusal::kImplausible) {
    return stream->Close(
        InvalidField("report.counters",
                     applied.refusal == Ledger::Refusal::kBackwards
                         ? "are lower than those of an earlier report; within an incarnation they "
                           "only grow"
                         : "are above 2^53, which no worker can have counted"));
  }
  if (applied) write.worker_totals.push_back(totals);
  // A repeated report is acknowledged too, once the first one's commit has passed.
  write.done = [stream, sequence](const absl::Status& status) {
    if (status.ok()) stream->Acknowledge(sequence);
  };
  store_.Write(std::move(write));
  if (want_cluster_statistics) stream->SendClusterStatistics(clock_.Wall(), ledger_.Rows());
}

StoreWrite Cluster::Balanced(const std::vector<BalancedTotals>& all) {
  StoreWrite write;
  for (const BalancedTotals& totals : all) {
    const Ledger::Applied applied = ledger_.ApplyBalanced(totals);
    if (!applied) continue;
    write.balanced_totals.push_back(totals);
    rollouts_.CountAnswers(totals.worker_id, applied.added);
  }
  return write;
}

void Cluster::CountBalanced(const std::vector<BalancedTotals>& totals) {
  StoreWrite write = Balanced(totals);
  if (write.balanced_totals.empty()) return;
  write.rollouts = rollouts_.TakeCounted();
  store_.Write(std::move(write));
}

void Cluster::CountDurations(const BalancerReport& report) {
  const SteadyTime now = clock_.Steady();
  std::unordered_map<std::string_view, std::string_view> service_of;  // Filled where one is new.
  for (size_t i = 0; i < report.durations.size(); ++i) {
    const BalancedTotals& seen = report.totals[i];
    const Durations::Source source{seen.balancer, seen.balancer_incarnation, seen.worker_id,
                                   seen.worker_incarnation};
    if (durations_.Knows(source)) {
      durations_.Apply(source, report.durations[i], now);
      continue;
    }
    if (service_of.empty()) {
      for (const Worker& worker : workers_.workers()) service_of[worker.id] = worker.service;
    }
    const auto found = service_of.find(seen.worker_id);
    const std::string service(found == service_of.end() ? "" : found->second);
    durations_.Introduce(source, service, report.durations[i]);
  }
}

void Cluster::ReportBalancer(const BalancerHello& hello,
                             const std::shared_ptr<BalancerStream>& stream,
                             const BalancerReport& report) {
  const Balancer* balancer = balancers_.Find(hello.name);
  // Before its first report nobody knows which errors are new.
  const uint64_t own_errors =
      balancer != nullptr && balancer->own_errors ? *balancer->own_errors : report.own_errors;
  if (!balancers_.Report(hello.name, stream.get(), report)) return;
  CountDurations(report);
  StoreWrite write = Balanced(report.totals);
  if (report.own_errors > own_errors) rollouts_.CountOwnErrors(report.own_errors - own_errors);
  write.rollouts = rollouts_.TakeCounted();
  write.done = [stream, sequence = report.sequence](const absl::Status& status) {
    if (status.ok()) stream->AcknowledgeReport(sequence);
  };
  store_.Write(std::move(write));
}

bool Cluster::Converged() const {
  const std::shared_ptr<const DesiredIndex> index = DesiredNow();
  const Desired& desired = index->desired();
  size_t wanted = 0;
  for (const ServiceDesire& desire : desired.services) wanted += desire.spec.replicas;
  const auto workers = workers_.workers();
  const auto balancers = balancers_.balancers();
  return adoption_settled_ && !stopping_ && workers.size() == wanted &&
         balancers.size() == desired.balancers.count &&
         std::all_of(workers.begin(), workers.end(),
                     [&](const Worker& w) {
                       const ServiceDesire* desire = index->Find(w.service);
                       return w.state == WorkerState::kReady && desire != nullptr &&
                              gocomet::controlplane::IsUpToDate(w, *desire);
                     }) &&
         std::all_of(balancers.begin(), balancers.end(),
                     [this](const Balancer& b) {
                       return b.state == BalancerState::kReady && snapshot_ &&
                              b.acknowledged_version == snapshot_->version;
                     }) &&
         // Whatever changed since the last turn is not published yet.
         (balancers.empty() ||
          snapshot_->SameContent(BuildSnapshot(desired_state_.newest().number, desired, workers)));
}

}  // namespace gocomet::controlplane
