#include "tests/controlplane/simulation/simulated_balancers.h"

#include <csignal>
#include <utility>

#include "common/base/text.h"

namespace gocomet::controlplane {

// The control plane's end of a stream: of several snapshots that were not taken yet only the newest
// is.
class SimulatedBalancers::Stream final : public BalancerStream,
                                         public std::enable_shared_from_this<Stream> {
 public:
  Stream(SimulatedBalancers& owner, std::string name, uint64_t incarnation)
      : owner_(owner), name_(std::move(name)), incarnation_(incarnation) {}

  void SendSnapshot(std::shared_ptr<const Snapshot> snapshot) override {
    newest_ = std::move(snapshot);
    Dice& dice = owner_.setting_.dice;
    const bool late = owner_.setting_.trouble && dice.Chance(10);
    owner_.setting_.time.In(dice.Delay(5, late ? 6000 : 200), [self = shared_from_this()] {
      if (!self->newest_) return;
      self->owner_.Take(self->name_, self->incarnation_, self, std::exchange(self->newest_, {}));
    });
  }
  void AcknowledgeReport(uint64_t) override {}
  void Close(const absl::Status&) override { closed_ = true; }

  bool closed() const { return closed_; }

 private:
  SimulatedBalancers& owner_;
  const std::string name_;
  const uint64_t incarnation_;
  std::shared_ptr<const Snapshot> newest_;
  bool closed_ = false;
};

SimulatedBalancers::Process* SimulatedBalancers::Find(const std::string& name,
                                                      uint64_t incarnation) {
  const auto found = processes_.find(name);
  if (found == processes_.end() || found->second.incarnation != incarnation) return nullptr;
  return &found->second;
}

LeftBalancers SimulatedBalancers::Adopt() {
  LeftBalancers left;
  for (const auto& [name, process] : processes_) left.running.push_back(process.seen);
  return left;
}

void SimulatedBalancers::Start(const std::string& name, const std::string& address,
                               uint32_t threads,
                               std::function<void(absl::StatusOr<BalancerProcess>)> done) {
  const bool fails = setting_.trouble && setting_.dice.Chance(10);
  setting_.time.In(setting_.dice.Delay(2, 100), [this, life = life_, name, address, threads, fails,
                                                 done = std::move(done)] {
    if (life != life_) return;
    if (fails) return done(absl::UnavailableError("cannot start it"));
    Process& process = processes_[name];
    process = {};
    process.seen = {
        name,     address, threads, static_cast<int64_t>(2000 + started_), setting_.time.Wall(),
        program()};
    process.incarnation = ++started_;
    process.uses = on_disk_[name];
    const uint64_t incarnation = process.incarnation;
    done(process.seen);
    setting_.time.In(setting_.dice.Delay(10, 300),
                     [this, name, incarnation] { Connect(name, incarnation); });
    ReportEachSecond(name, incarnation);
    TakeOverFromOthers(name, incarnation);
  });
}

// Whoever listens on the port already hands its sockets over, and ends by itself.
void SimulatedBalancers::TakeOverFromOthers(const std::string& name, uint64_t incarnation) {
  const std::string_view port = PortOf(processes_[name].seen.address);
  for (const auto& [other, process] : processes_) {
    if (other == name || PortOf(process.seen.address) != port) continue;
    setting_.time.In(setting_.dice.Delay(20, 800),
                     [this, name, incarnation, other = other, before = process.incarnation] {
                       if (Find(name, incarnation) != nullptr)
                         Exit(other, before, {.cause = "it has handed over", .clean = true});
                     });
  }
}

void SimulatedBalancers::Signal(const std::string& name, int signal) {
  const auto found = processes_.find(name);
  if (found == processes_.end()) return;
  found->second.drains = true;
  const auto delay = setting_.dice.Delay(10, signal == SIGKILL ? 50 : 3000);
  setting_.time.In(delay, [this, name, incarnation = found->second.incarnation] {
    Exit(name, incarnation, {.cause = "it was asked to stop", .clean = true});
  });
}

void SimulatedBalancers::Forget(const std::string& name) {
  if (!processes_.contains(name)) on_disk_.erase(name);
}

void SimulatedBalancers::SpeakTo(Cluster* cluster) {
  ++life_;
  cluster_ = cluster;
  if (cluster == nullptr) exited_ = nullptr;
  for (auto& [name, process] : processes_) {
    process.stream.reset();
    if (cluster == nullptr) continue;
    const uint64_t incarnation = process.incarnation;
    setting_.time.In(setting_.dice.Delay(10, setting_.trouble ? 2500 : 500),
                     [this, name = name, incarnation] { Connect(name, incarnation); });
  }
}

void SimulatedBalancers::Connect(const std::string& name, uint64_t incarnation) {
  Process* process = Find(name, incarnation);
  if (process == nullptr || cluster_ == nullptr || process->stream) return;
  process->stream = std::make_shared<Stream>(*this, name, incarnation);
  BalancerHello hello{name, incarnation, process->seen.pid, "1"};
  cluster_->mailbox().Post([cluster = cluster_, hello, stream = process->stream] {
    const absl::Status status = cluster->balancers().Connect(hello, stream);
    if (!status.ok()) stream->Close(status);
  });
}

void SimulatedBalancers::Take(const std::string& name, uint64_t incarnation,
                              const std::shared_ptr<Stream>& stream,
                              const std::shared_ptr<const Snapshot>& snapshot) {
  Process* process = Find(name, incarnation);
  if (process == nullptr || process->stream != stream || cluster_ == nullptr) return;
  process->uses = on_disk_[name] = snapshot;
  cluster_->mailbox().Post([cluster = cluster_, name, stream, version = snapshot->version] {
    cluster->balancers().Acknowledge(name, stream.get(), version, "");
  });
  setting_.time.In(setting_.dice.Delay(1, 300), [this, name, incarnation] {
    if (Process* still = Find(name, incarnation)) LetGo(*still);
    Report(name, incarnation);
  });
}

bool SimulatedBalancers::SendsTo(const Process& process, const std::string& worker_id) const {
  if (!process.uses) return false;
  for (const SnapshotService& service : process.uses->services) {
    for (const SnapshotEndpoint& endpoint : service.endpoints) {
      if (endpoint.worker_id == worker_id) return !endpoint.draining || ignore_draining_;
    }
  }
  return false;
}

// Requests end, and others begin.
void SimulatedBalancers::LetGo(Process& process) {
  std::map<std::string, uint32_t> now;
  for (const auto& [id, count] : process.in_flight) {
    if (count > 0 && !SendsTo(process, id) && setting_.dice.Chance(30)) now[id] = count;
  }
  if (process.uses) {
    for (const SnapshotService& service : process.uses->services) {
      for (const SnapshotEndpoint& endpoint : service.endpoints) {
        if (SendsTo(process, endpoint.worker_id) && setting_.dice.Chance(40)) {
          now[endpoint.worker_id] = setting_.dice.Pick(1, 3);
        }
      }
    }
  }
  process.in_flight = std::move(now);
}

void SimulatedBalancers::Report(const std::string& name, uint64_t incarnation) {
  const Process* process = Find(name, incarnation);
  if (process == nullptr || !process->stream || cluster_ == nullptr) return;
  BalancerReport report;
  report.sequence = ++Find(name, incarnation)->reports;
  for (const auto& [id, count] : process->in_flight) {
    report.endpoints.push_back({.worker_id = id, .incarnation = 1, .in_flight = count});
  }
  const BalancerHello hello{name, incarnation, process->seen.pid, "1"};
  cluster_->mailbox().Post([cluster = cluster_, hello, stream = process->stream, report] {
    cluster->ReportBalancer(hello, stream, report);
  });
}

void SimulatedBalancers::ReportEachSecond(const std::string& name, uint64_t incarnation) {
  setting_.time.In(setting_.dice.Delay(800, 1200), [this, name, incarnation] {
    Process* process = Find(name, incarnation);
    if (process == nullptr) return;
    if (process->stream && process->stream->closed()) {
      process->stream.reset();
      Connect(name, incarnation);
    }
    LetGo(*process);
    Report(name, incarnation);
    ReportEachSecond(name, incarnation);
  });
}

void SimulatedBalancers::Exit(const std::string& name, uint64_t incarnation, BalancerExit how) {
  Process* process = Find(name, incarnation);
  if (process == nullptr) return;
  const int64_t pid = process->seen.pid;
  const auto stream = process->stream;
  processes_.erase(name);
  // Its stream's end and its own are seen by different parts, in any order.
  if (stream && cluster_ != nullptr) {
    setting_.time.In(setting_.dice.Delay(0, 200), [this, life = life_, name, stream] {
      if (life != life_) return;
      cluster_->mailbox().Post([cluster = cluster_, name, stream] {
        cluster->balancers().Disconnect(name, stream.get());
      });
    });
  }
  setting_.time.In(setting_.dice.Delay(0, 200), [this, life = life_, name, pid, how] {
    if (life == life_ && exited_) exited_(name, pid, how);
  });
}

SimulatedBalancers::Process* SimulatedBalancers::PickOne() {
  if (processes_.empty()) return nullptr;
  auto at = processes_.begin();
  std::advance(at, setting_.dice.Pick(0, static_cast<uint32_t>(processes_.size() - 1)));
  return &at->second;
}

void SimulatedBalancers::CrashOne() {
  Process* process = PickOne();
  if (process == nullptr) return;
  const std::string name = process->seen.name;
  setting_.story.Tell([&] { return Cat("  (", name, " crashes)"); });
  Exit(name, process->incarnation, {.cause = "killed", .clean = false});
}

void SimulatedBalancers::BreakOneStream() {
  Process* process = PickOne();
  if (process == nullptr || !process->stream || cluster_ == nullptr) return;
  const std::string name = process->seen.name;
  setting_.story.Tell([&] { return Cat("  (the stream of ", name, " breaks)"); });
  const auto stream = std::exchange(process->stream, nullptr);
  cluster_->mailbox().Post(
      [cluster = cluster_, name, stream] { cluster->balancers().Disconnect(name, stream.get()); });
  setting_.time.In(setting_.dice.Delay(50, 4000), [this, name, incarnation = process->incarnation] {
    Connect(name, incarnation);
  });
}

bool SimulatedBalancers::MaySendTo(const std::string& worker_id) const {
  for (const auto& [name, process] : processes_) {
    if (SendsTo(process, worker_id)) return true;
    const auto requests = process.in_flight.find(worker_id);
    if (requests != process.in_flight.end() && requests->second > 0) return true;
  }
  return false;
}

size_t SimulatedBalancers::running() const { return processes_.size(); }

std::vector<std::set<std::string>> SimulatedBalancers::Uses() const {
  std::vector<std::set<std::string>> all;
  for (const auto& [name, process] : processes_) {
    std::set<std::string>& used = all.emplace_back();
    if (!process.uses) continue;
    for (const SnapshotService& service : process.uses->services) {
      for (const SnapshotEndpoint& endpoint : service.endpoints) {
        if (!endpoint.draining) used.insert(endpoint.worker_id);
      }
    }
  }
  return all;
}

}  // namespace gocomet::controlplane
