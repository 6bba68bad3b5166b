#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "controlplane/runtime/runtime_driver.h"
#include "tests/controlplane/simulation/simulated_time.h"

namespace gocomet::controlplane {

// A machine that runs workers, and the driver's view of it. Calls may be slow, fail, fail and take
// effect all the same, take effect after they have failed, say that they did what they did not, or
// be answered twice. Workers crash, hang, come up late or never, and are removed by hand.
class SimulatedMachine final : public RuntimeDriver {
 public:
  struct Process {
    RuntimeWorker seen;
    bool never_answers = false;  // It runs a bad revision.
    SteadyTime answers_from{};
    SteadyTime hangs_until{};
  };

  struct Witness {
    // A call was made for what had an unanswered one.
    std::function<void(const std::string& what)> second_call;
    // Asked to stop, or to remove though it runs.
    std::function<void(const Process& process, bool remove)> stops;
  };

  SimulatedMachine(Setting& setting, Witness witness)
      : setting_(setting), witness_(std::move(witness)) {}

  RuntimeKind kind() const override { return RuntimeKind::kProcess; }
  std::string description() const override { return "a simulation"; }
  void Prepare(Done<absl::Status> done) override { done(absl::OkStatus()); }
  void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) override;
  void Stop(const std::string& handle, std::chrono::milliseconds grace,
            Done<absl::Status> done) override;
  void Remove(const std::string& handle, Done<absl::Status> done) override;
  void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) override;
  void Watch(std::function<void()> changed) override { changed_ = std::move(changed); }
  absl::StatusOr<std::unique_ptr<LogStream>> Logs(const std::string& handle, int tail, bool follow,
                                                  std::function<void(RuntimeLogLine)> line,
                                                  std::function<void(absl::Status)> end) override;

  // The control plane is dead: what was asked for goes on, and nobody hears the answers.
  void ForgetCaller();

  // --- Trouble
  void CrashOne();
  void HangOne();
  void RemoveOneByHand();
  void TakePortOf(const std::string& service_worker_port, uint16_t port);
  void EngineStopsAnswering(std::chrono::milliseconds how_long);

  bool Answers(const std::string& instance) const;
  bool Runs(const std::string& instance) const;
  const std::map<std::string, Process>& processes() const { return processes_; }  // By handle.
  void FreePorts() { strangers_.clear(); }

 private:
  absl::StatusOr<RuntimeWorker> Begin(const WorkerLaunch& launch);
  void End(Process& process, int exit_code);
  template <typename T>
  void Call(const std::string& subject, std::function<T()> effect, Done<T> done);
  template <typename T>
  void AnswerIn(std::chrono::milliseconds delay, const std::string& subject, Done<T> done,
                T answer);
  void Hint();
  Process* PickRunning();

  Setting& setting_;
  const Witness witness_;
  std::map<std::string, Process> processes_;
  std::map<std::string, int> calls_;  // Unanswered, by subject.
  std::map<uint16_t, SteadyTime> strangers_;
  SteadyTime engine_down_until_{};
  std::function<void()> changed_;
  int caller_ = 0;  // Which life of the control plane listens.
};

}  // namespace gocomet::controlplane
