#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/runtime/child_processes.h"
#include "controlplane/runtime/process_driver.h"
#include "controlplane/runtime/process_record.h"
#include "controlplane/runtime/task_queue.h"

namespace gocomet::controlplane {

// The worker processes of one directory and their records. Everything runs on the one thread of
// `queue`, but for Load, which comes before anything else.
class ProcessWorkers {
 public:
  using Done = std::function<void(absl::Status)>;

  // `changed` is called after a worker was started or has ended.
  ProcessWorkers(const ProcessDriverOptions& options, ChildProcesses& children, TaskQueue& queue,
                 std::function<void()> changed);

  absl::Status Load();

  absl::StatusOr<RuntimeWorker> Start(const WorkerLaunch& launch);
  void Stop(const std::string& handle, std::chrono::milliseconds grace, const Done& done);
  void Remove(const std::string& handle, const Done& done);
  std::vector<RuntimeWorker> List() const;

  bool IsRunning(const std::string& handle) const;
  std::string DirectoryOf(const std::string& handle) const;

 private:
  struct Entry {
    ProcessRecord record;
    std::vector<Done> on_ended;
    bool running() const { return record.process.pid != 0 && !record.exit; }
  };

  absl::Status Save(const ProcessRecord& record) const;
  void LoadWorker(const std::string& instance);
  void LoadDamaged(const std::string& instance, std::string_view why);
  void DeleteUnrecorded(const std::string& instance) const;
  std::vector<ProcessIdentity> FindStarted(const std::string& instance) const;
  ProcessRecord NewRecord(const WorkerLaunch& launch, const std::string& program) const;
  std::vector<std::string> ArgumentsFor(const WorkerLaunch& launch) const;
  absl::StatusOr<ProcessLaunch> ProcessFor(const WorkerLaunch& launch) const;
  absl::Status Spawn(const WorkerLaunch& launch, const ProcessLaunch& process,
                     ProcessRecord& record);
  ChildProcesses::OnExit ExitOf(const std::string& instance);
  void OnExit(const std::string& instance, const ProcessIdentity& process, const ProcessExit& exit);
  void End(Entry& entry, const RuntimeWorker::Exit& exit);
  // The entry where that very process still runs, else null.
  Entry* FindRunning(const std::string& handle, const ProcessIdentity& process);
  void Kill(const std::string& handle, const ProcessIdentity& process);
  void GiveUp(const std::string& handle, const ProcessIdentity& process);
  absl::Status DeleteFiles(const std::string& handle);

  const ProcessDriverOptions& options_;
  ChildProcesses& children_;
  TaskQueue& queue_;
  const std::function<void()> changed_;
  const std::string boot_id_;
  std::map<std::string, Entry> workers_;  // By instance.
};

}  // namespace gocomet::controlplane
