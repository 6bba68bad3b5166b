#include "controlplane/cluster/balancer_fleet.h"

#include <algorithm>
#include <csignal>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

std::string Subject(const std::string& name) { return Cat("balancer/", name); }

}  // namespace

BalancerFleet::BalancerFleet(BalancerLauncher& launcher, Mailbox& mailbox, EventLog& events,
                             const Clock& clock, Hooks hooks)
    : launcher_(launcher),
      mailbox_(mailbox),
      events_(events),
      clock_(clock),
      hooks_(std::move(hooks)) {
  launcher_.Watch([this](std::string name, int64_t pid, BalancerExit exit) {
    mailbox_.Post(
        [this, name = std::move(name), pid, exit = std::move(exit)] { OnExited(name, pid, exit); });
  });
}

const Balancer* BalancerFleet::Find(const std::string& name) const {
  for (const Balancer& balancer : balancers_) {
    if (balancer.name == name) return &balancer;
  }
  return nullptr;
}

Balancer* BalancerFleet::FindMutable(const std::string& name) {
  for (Balancer& balancer : balancers_) {
    if (balancer.name == name) return &balancer;
  }
  return nullptr;
}

Balancer* BalancerFleet::OfStream(const std::string& name, const BalancerStream* stream) {
  for (const Session& session : sessions_) {
    if (session.stream.get() == stream) return FindMutable(name);
  }
  return nullptr;
}

void BalancerFleet::EnterState(Balancer& balancer, BalancerState state, std::string reason) {
  balancer.state = state;
  balancer.reason = std::move(reason);
  balancer.state_since = clock_.Steady();
  Touch(balancer);
}

void BalancerFleet::Touch(const Balancer& balancer) {
  changed_names_.insert(balancer.name);
  hooks_.changed();
}

Balancer& BalancerFleet::Add(const BalancerProcess& process) {
  Balancer& balancer = balancers_.emplace_back();
  balancer.name = process.name;
  balancer.address = process.address;
  balancer.threads = process.threads;
  balancer.program = process.program;
  balancer.pid = process.pid;
  balancer.start_time = process.start_time;
  return balancer;
}

void BalancerFleet::Adopt(const LeftBalancers& left) {
  for (const BalancerProcess& process : left.running) {
    Balancer& balancer = Add(process);
    balancer.process_alive = true;
    balancer.serving_since = clock_.Steady();
    EnterState(balancer, BalancerState::kDisconnected, "adopted; waits for its connection");
    events_.Info(Subject(process.name), "BalancerAdopted",
                 Cat("process ", process.pid, " was running already and is taken over"));
  }
  for (const BalancerProcess& process : left.ended) {
    EnterState(Add(process), BalancerState::kBackOff, "ended while no control plane ran");
  }
}

void BalancerFleet::Perform(const StartBalancer& action) {
  Balancer* balancer = FindMutable(action.name);
  if (balancer == nullptr) {
    balancers_.emplace_back();
    balancer = &balancers_.back();
    balancer->name = action.name;
  }
  balancer->address = action.address;
  balancer->threads = action.threads;
  balancer->program = launcher_.program();
  balancer->process_alive = true;  // Until we hear otherwise.
  balancer->pid = 0;
  EnterState(*balancer, BalancerState::kStarting, "");
  launcher_.Start(
      action.name, action.address, action.threads,
      [this, name = action.name](absl::StatusOr<BalancerProcess> answer) {
        mailbox_.Post([this, name, answer = std::move(answer)] { OnStarted(name, answer); });
      });
}

void BalancerFleet::OnStarted(const std::string& name,
                              const absl::StatusOr<BalancerProcess>& answer) {
  Balancer* balancer = FindMutable(name);
  if (balancer == nullptr || !balancer->process_alive) return;  // Its end came first.
  if (!answer.ok()) {
    return OnExited(name, 0, {.cause = Cat("cannot start: ", MessageOf(answer.status()))});
  }
  balancer->pid = answer->pid;
  balancer->start_time = answer->start_time;
  if (balancer->state == BalancerState::kDraining) launcher_.Signal(name, SIGTERM);
  Touch(*balancer);
}

bool BalancerFleet::HasSuccessor(const Balancer& balancer) const {
  return std::any_of(balancers_.begin(), balancers_.end(), [&](const Balancer& b) {
    return b.name != balancer.name && PortOf(b.address) == PortOf(balancer.address) &&
           b.process_alive && b.state != BalancerState::kDraining;
  });
}

void BalancerFleet::OnExited(const std::string& name, int64_t pid, const BalancerExit& exit) {
  if (exit.counted.ok()) {
    hooks_.counted(*exit.counted);
  } else {
    events_.Warning(
        Subject(name), "CountersUnreadable",
        Cat("what it counted since its last report is lost: ", MessageOf(exit.counted.status())));
  }
  Balancer* balancer = FindMutable(name);
  if (balancer == nullptr || !balancer->process_alive ||
      (pid != 0 && balancer->pid != 0 && balancer->pid != pid)) {
    return;
  }
  balancer->process_alive = false;
  balancer->pid = 0;
  // One that has handed over its sockets drains by itself, before anybody tells it to.
  const bool handed_over = exit.clean && HasSuccessor(*balancer);
  if (balancer->state == BalancerState::kDraining || handed_over) {
    EnterState(*balancer, BalancerState::kStopped, "");
    events_.Info(Subject(name), "BalancerStopped",
                 handed_over ? "has handed over its sockets and stopped" : "has stopped");
    return;
  }
  const SteadyTime now = clock_.Steady();
  const auto served_since = std::exchange(balancer->serving_since, std::nullopt);
  if (served_since && now - *served_since >= kServingForgives) balancer->crashes = 0;
  ++balancer->crashes;
  const std::chrono::seconds delay = BalancerBackOffDelay(balancer->crashes);
  balancer->next_start = now + delay;
  balancer->next_start_time = clock_.Wall() + delay;
  EnterState(*balancer, BalancerState::kBackOff, exit.cause);
  events_.Error(Subject(name), "BalancerCrashed",
                Cat(exit.cause, "; started again ",
                    delay.count() == 0 ? "at once" : Cat("in ", delay.count(), " s")));
}

void BalancerFleet::Perform(const StopBalancer& action) {
  Balancer* balancer = FindMutable(action.name);
  if (balancer == nullptr) return;
  EnterState(*balancer, BalancerState::kDraining,
             HasSuccessor(*balancer) ? "replaced by its successor" : "no longer wanted");
  events_.Info(Subject(action.name), "BalancerDraining", "accepts no new connections");
  if (balancer->pid != 0) launcher_.Signal(action.name, SIGTERM);
}

void BalancerFleet::Perform(const ForgetBalancer& action) {
  if (Balancer* balancer = FindMutable(action.name)) SetEndpoints(*balancer, {});
  std::erase_if(balancers_, [&](const Balancer& b) { return b.name == action.name; });
  launcher_.Forget(action.name);
  changed_names_.insert(action.name);
  hooks_.changed();
}

void BalancerFleet::KillAll() {
  for (Balancer& balancer : balancers_) {
    if (!balancer.process_alive) continue;
    EnterState(balancer, BalancerState::kDraining, "stopped at once");
    launcher_.Signal(balancer.name, SIGKILL);
  }
}

absl::Status BalancerFleet::Connect(const BalancerHello& hello,
                                    std::shared_ptr<BalancerStream> stream) {
  Balancer* balancer = FindMutable(hello.name);
  if (balancer == nullptr || !balancer->process_alive) {
    return absl::NotFoundError(Cat("balancer '", hello.name, "' is not wanted"));
  }
  for (const Session& session : sessions_) {
    if (session.name == hello.name) {
      session.stream->Close(absl::AbortedError("another stream of this balancer took over"));
    }
  }
  std::erase_if(sessions_, [&](const Session& s) { return s.name == hello.name; });
  const Session& session = sessions_.emplace_back(Session{hello.name, std::move(stream)});
  balancer->connected = true;
  if (balancer->incarnation != hello.incarnation) balancer->own_errors.reset();
  balancer->incarnation = hello.incarnation;
  balancer->version = hello.version;
  balancer->acknowledged_version = 0;
  balancer->reported_since_ack = false;
  SetEndpoints(*balancer, {});
  if (balancer->pid == 0) balancer->pid = hello.pid;
  if (snapshot_) session.stream->SendSnapshot(snapshot_);
  Touch(*balancer);
  return absl::OkStatus();
}

void BalancerFleet::Disconnect(const std::string& name, const BalancerStream* stream) {
  Balancer* balancer = OfStream(name, stream);
  std::erase_if(sessions_, [&](const Session& s) { return s.stream.get() == stream; });
  if (balancer == nullptr) return;
  balancer->connected = false;
  if (balancer->state == BalancerState::kReady) {
    EnterState(*balancer, BalancerState::kDisconnected,
               "its stream broke; it serves its last snapshot");
  }
  Touch(*balancer);
}

void BalancerFleet::Acknowledge(const std::string& name, const BalancerStream* stream,
                                uint64_t version, const std::string& refusal) {
  Balancer* balancer = OfStream(name, stream);
  if (balancer == nullptr) return;
  if (!refusal.empty()) {
    events_.Error(Subject(name), "SnapshotRefused", Cat("keeps the snapshot it has: ", refusal));
    return;
  }
  balancer->acknowledged_version = version;
  balancer->reported_since_ack = false;
  if (snapshot_ && snapshot_->version == version)
    balancer->acknowledged_revision = snapshot_->revision;
  const bool serves = balancer->state == BalancerState::kStarting ||
                      balancer->state == BalancerState::kDisconnected;
  if (serves) {
    EnterState(*balancer, BalancerState::kReady, "");
    if (!balancer->serving_since) balancer->serving_since = clock_.Steady();
    events_.Info(Subject(name), "BalancerReady", Cat("serves on ", balancer->address));
  }
  Touch(*balancer);
}

bool BalancerFleet::Report(const std::string& name, const BalancerStream* stream,
                           const BalancerReport& report) {
  Balancer* balancer = OfStream(name, stream);
  if (balancer == nullptr) return false;
  SetEndpoints(*balancer, report.endpoints);
  balancer->connections = report.connections;
  balancer->requests = report.requests;
  balancer->own_errors = report.own_errors;
  balancer->reported_since_ack = balancer->acknowledged_version != 0;
  Touch(*balancer);
  return true;
}

void BalancerFleet::Publish(std::shared_ptr<const Snapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  for (const Session& session : sessions_) session.stream->SendSnapshot(snapshot_);
}

void BalancerFleet::SetEndpoints(Balancer& balancer,
                                 std::vector<Balancer::EndpointView> endpoints) {
  for (const Balancer::EndpointView& before : balancer.endpoints) {
    if (before.in_flight == 0) continue;
    const auto sum = in_flight_.find(before.worker_id);
    sum->second -= before.in_flight;
    if (sum->second == 0) in_flight_.erase(sum);
  }
  for (const Balancer::EndpointView& now : endpoints) {
    if (now.in_flight != 0) in_flight_[now.worker_id] += now.in_flight;
  }
  balancer.endpoints = std::move(endpoints);
}

uint64_t BalancerFleet::InFlight(const std::string& worker_id) const {
  const auto sum = in_flight_.find(worker_id);
  return sum == in_flight_.end() ? 0 : sum->second;
}

}  // namespace gocomet::controlplane
