#include "controlplane/runtime/process_driver.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/change_watcher.h"
#include "controlplane/runtime/child_processes.h"
#include "controlplane/runtime/process_logs.h"
#include "controlplane/runtime/process_workers.h"
#include "controlplane/runtime/task_queue.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;

constexpr size_t kCallsWaitingMax = 4096;
constexpr milliseconds kLogSizeInterval{2'000};

// Hands every call to the one thread that owns the workers and the logs.
class ProcessDriver : public RuntimeDriver {
 public:
  ProcessDriver(ProcessDriverOptions options, std::unique_ptr<ChildProcesses> children)
      : options_(std::move(options)),
        queue_(1, kCallsWaitingMax),
        children_(std::move(children)),
        workers_(options_, *children_, queue_, [this] { watcher_.Notify(); }),
        logs_(queue_, [this](const std::string& handle) { return workers_.IsRunning(handle); }) {}

  ~ProcessDriver() override {
    watcher_.Set(nullptr);
    queue_.Drain();     // Its tasks use the children,
    children_.reset();  // and an exit that comes later is posted to a queue that runs no more.
  }

  absl::Status Load() {
    GOCOMET_RETURN_IF_ERROR(workers_.Load());
    queue_.PostIn(kLogSizeInterval, [this] { KeepLogsShort(); });
    return absl::OkStatus();
  }

  RuntimeKind kind() const override { return RuntimeKind::kProcess; }
  std::string description() const override { return Cat("processes of ", options_.worker_program); }

  void Prepare(Done<absl::Status> done) override {
    Request(std::move(done), [this](const auto& answer) { answer(CheckProgram()); });
  }
  void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) override {
    Request(std::move(done),
            [this, launch](const auto& answer) { answer(workers_.Start(launch)); });
  }
  void Stop(const std::string& handle, milliseconds grace, Done<absl::Status> done) override {
    Request(std::move(done),
            [this, handle, grace](const auto& answer) { workers_.Stop(handle, grace, answer); });
  }
  void Remove(const std::string& handle, Done<absl::Status> done) override {
    Request(std::move(done),
            [this, handle](const auto& answer) { workers_.Remove(handle, answer); });
  }
  void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) override {
    Request(std::move(done), [this](const auto& answer) { answer(workers_.List()); });
  }
  void Watch(std::function<void()> changed) override { watcher_.Set(std::move(changed)); }

  absl::StatusOr<std::unique_ptr<LogStream>> Logs(const std::string& handle, int tail, bool follow,
                                                  std::function<void(RuntimeLogLine)> line,
                                                  std::function<void(absl::Status)> end) override {
    const std::string directory = workers_.DirectoryOf(handle);
    if (::access(Cat(directory, "/", kStdoutFile).c_str(), R_OK) != 0) {
      return absl::NotFoundError(Cat("there are no logs of worker ", handle, " in ", directory));
    }
    auto subscription = std::make_shared<LogSubscription>(std::move(line), std::move(end));
    const ProcessLogs::Request request{handle, directory, tail, follow, subscription};
    if (!queue_.TryPost([this, request] { logs_.Add(request); })) return Busy();
    return std::make_unique<SubscribedLogStream>(std::move(subscription));
  }

 private:
  static absl::Status Busy() {
    return absl::ResourceExhaustedError("too many calls wait for the process runtime; try again");
  }

  template <typename Answer, typename Call>
  void Request(Done<Answer> done, Call call) {
    if (!queue_.TryPost([done, call = std::move(call)] { call(done); })) {
      queue_.Post([done] { done(Busy()); });
    }
  }

  absl::Status CheckProgram() const {
    if (::access(options_.worker_program.c_str(), X_OK) == 0) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, Cat("cannot run the worker program ", options_.worker_program,
                                          "; build it, or install it beside the control plane"));
  }

  void KeepLogsShort() {
    if (queue_.draining()) return;
    for (const RuntimeWorker& worker : workers_.List()) {
      logs_.KeepShort(worker.handle, workers_.DirectoryOf(worker.handle));
    }
    queue_.PostIn(kLogSizeInterval, [this] { KeepLogsShort(); });
  }

  const ProcessDriverOptions options_;
  ChangeWatcher watcher_;
  TaskQueue queue_;
  std::unique_ptr<ChildProcesses> children_;
  ProcessWorkers workers_;
  ProcessLogs logs_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RuntimeDriver>> MakeProcessDriver(ProcessDriverOptions options) {
  GOCOMET_ASSIGN_OR_RETURN(std::unique_ptr<ChildProcesses> children, ChildProcesses::Create());
  auto driver = std::make_unique<ProcessDriver>(std::move(options), std::move(children));
  GOCOMET_RETURN_IF_ERROR(driver->Load());
  return driver;
}

}  // namespace gocomet::controlplane
