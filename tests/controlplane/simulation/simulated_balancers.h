#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controlplane/cluster/cluster.h"
#include "tests/controlplane/simulation/simulated_time.h"

namespace gocomet::controlplane {

// Balancer processes: each uses the last snapshot that it took, gives requests to the workers that
// are in it and do not drain, and tells the control plane so, late. Streams break, processes crash,
// and both come back. They outlive the control plane, and keep their snapshot on a disk.
class SimulatedBalancers final : public BalancerLauncher {
 public:
  // Those with `ignore_draining` acknowledge what they do not do.
  SimulatedBalancers(Setting& setting, bool ignore_draining)
      : setting_(setting), ignore_draining_(ignore_draining) {}

  std::string program() const override { return "balancer"; }
  LeftBalancers Adopt() override;
  void Start(const std::string& name, const std::string& address, uint32_t threads,
             std::function<void(absl::StatusOr<BalancerProcess>)> done) override;
  void Signal(const std::string& name, int signal) override;
  void Forget(const std::string& name) override;
  void Watch(std::function<void(std::string, int64_t, BalancerExit)> exited) override {
    exited_ = std::move(exited);
  }

  // Whom balancers speak to from now on; null: nobody, until another one is there.
  void SpeakTo(Cluster* cluster);

  // --- Trouble
  void CrashOne();
  void BreakOneStream();

  // Whether a process that runs may give it a request, or has one with it.
  bool MaySendTo(const std::string& worker_id) const;
  size_t running() const;
  // Those that each of them gives requests to.
  std::vector<std::set<std::string>> Uses() const;

 private:
  class Stream;
  struct Process {
    BalancerProcess seen;
    uint64_t incarnation = 0;
    bool drains = false;
    std::shared_ptr<const Snapshot> uses;
    std::map<std::string, uint32_t> in_flight;
    std::shared_ptr<Stream> stream;
    uint64_t reports = 0;
  };

  Process* Find(const std::string& name, uint64_t incarnation);
  void Connect(const std::string& name, uint64_t incarnation);
  void Take(const std::string& name, uint64_t incarnation, const std::shared_ptr<Stream>& stream,
            const std::shared_ptr<const Snapshot>& snapshot);
  void Report(const std::string& name, uint64_t incarnation);
  void ReportEachSecond(const std::string& name, uint64_t incarnation);
  void TakeOverFromOthers(const std::string& name, uint64_t incarnation);
  void LetGo(Process& process);
  void Exit(const std::string& name, uint64_t incarnation, BalancerExit how);
  Process* PickOne();
  bool SendsTo(const Process& process, const std::string& worker_id) const;

  Setting& setting_;
  const bool ignore_draining_;
  std::map<std::string, Process> processes_;
  std::map<std::string, std::shared_ptr<const Snapshot>> on_disk_;
  std::function<void(std::string, int64_t, BalancerExit)> exited_;
  Cluster* cluster_ = nullptr;
  int life_ = 0;  // Of the control plane.
  uint64_t started_ = 0;
};

}  // namespace gocomet::controlplane
