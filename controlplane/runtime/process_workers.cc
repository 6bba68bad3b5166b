#include "controlplane/runtime/process_workers.h"

#include <csignal>
#include <filesystem>
#include <utility>

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/process_logs.h"
#include "controlplane/runtime/worker_address.h"
#include "controlplane/runtime/worker_program.h"
#include "controlplane/runtime/workload_environment.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kKillPatience{5000};  // From SIGKILL to the end of the process.
constexpr char kRecordFile[] = "process.json";
constexpr char kSocketFile[] = "http.sock";
constexpr char kTokenFile[] = "token";
constexpr std::string_view kGonePrefix = "gone-";  // Of directories that are being deleted.

RuntimeWorker::Exit UnknownExit(std::string error, WallTime time) {
  RuntimeWorker::Exit exit;
  exit.time = time;
  exit.error = std::move(error);
  return exit;
}

absl::Status PortTaken(const WorkerLaunch& launch, const absl::Status& status) {
  return absl::AlreadyExistsError(Cat("port ", launch.port, " for ", launch.service, "-",
                                      launch.ordinal, " is taken: ", MessageOf(status),
                                      "; end that program or change worker-port"));
}

}  // namespace

ProcessWorkers::ProcessWorkers(const ProcessDriverOptions& options, ChildProcesses& children,
                               TaskQueue& queue, std::function<void()> changed)
    : options_(options),
      children_(children),
      queue_(queue),
      changed_(std::move(changed)),
      boot_id_(BootId()) {}

std::string ProcessWorkers::DirectoryOf(const std::string& handle) const {
  return Cat(options_.workers_directory, "/", handle);
}

absl::Status ProcessWorkers::Save(const ProcessRecord& record) const {
  return WriteFileAtomically(Cat(DirectoryOf(record.instance), "/", kRecordFile), ToJson(record),
                             0600);
}

absl::Status ProcessWorkers::Load() {
  GOCOMET_RETURN_IF_ERROR(MakeDirectories(options_.workers_directory, 0700));
  std::error_code error;
  std::error_code ignored;
  std::filesystem::directory_iterator entry(options_.workers_directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string instance = entry->path().filename().string();
    if (IsInstance(instance)) LoadWorker(instance);
    if (instance.starts_with(kGonePrefix)) std::filesystem::remove_all(entry->path(), ignored);
  }
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      Cat("cannot read the directory ", options_.workers_directory, ": ", error.message()));
}

void ProcessWorkers::LoadWorker(const std::string& instance) {
  const auto text = ReadFile(Cat(DirectoryOf(instance), "/", kRecordFile));
  // Without a record it is another runtime's, or its start did not come as far as that.
  if (absl::IsNotFound(text.status())) return DeleteUnrecorded(instance);
  auto record = text.ok() ? ParseProcessRecord(*text) : text.status();
  if (!record.ok()) return LoadDamaged(instance, MessageOf(record.status()));
  if (record->instance != instance) return LoadDamaged(instance, "it names another instance");

  Entry& entry = workers_[instance];
  entry.record = *std::move(record);
  if (entry.record.exit) return;
  if (entry.record.process.pid == 0) {
    const std::vector<ProcessIdentity> found = FindStarted(instance);
    if (found.empty()) {
      return End(entry, UnknownExit("it was never started", options_.clock->Wall()));
    }
    entry.record.process = found.front();
    entry.record.boot_id = boot_id_;
    (void)Save(entry.record);  // Found in the same way again where this fails.
  }
  if (entry.record.boot_id != boot_id_ ||
      !children_.Adopt(entry.record.process, ExitOf(instance)).ok()) {
    End(entry, UnknownExit("it ended while no control plane watched it, in a way unknown",
                           options_.clock->Wall()));
  }
}

// A start that died before it had written the record has left nothing but a part of that.
void ProcessWorkers::DeleteUnrecorded(const std::string& instance) const {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(DirectoryOf(instance), ignored)) {
    if (!entry.path().filename().string().starts_with(kRecordFile)) return;
  }
  std::filesystem::remove_all(DirectoryOf(instance), ignored);
}

// What cannot be described cannot be taken over: it is ended, and listed for its removal.
void ProcessWorkers::LoadDamaged(const std::string& instance, std::string_view why) {
  for (const ProcessIdentity& process : FindStarted(instance)) {
    const absl::Status adopted =
        children_.Adopt(process, [](const ProcessIdentity&, const ProcessExit&) {});
    if (adopted.ok()) (void)children_.Signal(process, SIGKILL);
  }
  Entry& entry = workers_[instance];
  entry.record.instance = instance;
  entry.record.exit = UnknownExit(Cat("its record ", DirectoryOf(instance), "/", kRecordFile,
                                      " is damaged, so that it was ended: ", why),
                                  options_.clock->Wall());
}

// A control plane that died between a start and writing the number down left a worker that only
// its arguments tell, or its environment.
std::vector<ProcessIdentity> ProcessWorkers::FindStarted(const std::string& instance) const {
  std::vector<ProcessIdentity> found = FindProcesses(
      {{"--instance", instance}, {"--control-plane", Cat("unix:", options_.report_socket)}});
  if (found.empty()) found = FindSessionLeaders(kInstanceVariable, instance);
  return found;
}

absl::StatusOr<RuntimeWorker> ProcessWorkers::Start(const WorkerLaunch& launch) {
  if (!IsInstance(launch.instance)) {
    return absl::InvalidArgumentError(
        Cat("'", launch.instance, "' is not an instance: expected 12 hex digits"));
  }
  if (const auto found = workers_.find(launch.instance); found != workers_.end()) {
    return ToRuntimeWorker(found->second.record);
  }
  GOCOMET_ASSIGN_OR_RETURN(const ProcessLaunch process, ProcessFor(launch));
  GOCOMET_ASSIGN_OR_RETURN(const Address address,
                           Address::FromIpAndPort(launch.bind_address, launch.port));
  const absl::Status is_free = CheckAddressIsFree(address);
  if (absl::IsAlreadyExists(is_free)) return PortTaken(launch, is_free);
  GOCOMET_RETURN_IF_ERROR(is_free);
  Entry entry;
  entry.record = NewRecord(launch, process.program);
  if (const absl::Status spawned = Spawn(launch, process, entry.record); !spawned.ok()) {
    (void)DeleteFiles(launch.instance);  // What stays is listed by the next control plane.
    return spawned;
  }
  const RuntimeWorker worker = ToRuntimeWorker(entry.record);
  workers_.emplace(launch.instance, std::move(entry));
  changed_();
  return worker;
}

ProcessRecord ProcessWorkers::NewRecord(const WorkerLaunch& launch,
                                        const std::string& program) const {
  ProcessRecord record;
  record.instance = launch.instance;
  record.service = launch.service;
  record.ordinal = launch.ordinal;
  record.port = launch.port;
  record.template_hash = launch.template_hash;
  record.program = program;
  record.stop_signal = launch.workload.stop_signal;
  record.is_demo = launch.workload.is_demo();
  record.address = ReachableAddress(launch.bind_address, launch.port);
  record.balancer_address =
      record.is_demo
          ? BalancerAddress(Cat(DirectoryOf(launch.instance), "/", kSocketFile), record.address)
          : record.address;
  record.created = options_.clock->Wall();
  record.boot_id = boot_id_;
  return record;
}

std::vector<std::string> ProcessWorkers::ArgumentsFor(const WorkerLaunch& launch) const {
  const std::string directory = DirectoryOf(launch.instance);
  std::vector<std::string> arguments = {"--bind",
                                        launch.bind_address,
                                        "--port",
                                        Cat(launch.port),
                                        "--id",
                                        launch.instance,
                                        "--instance",
                                        launch.instance,
                                        "--control-plane",
                                        Cat("unix:", options_.report_socket),
                                        "--token-file",
                                        Cat(directory, "/", kTokenFile),
                                        "--avg-delay",
                                        Cat(launch.demo.average_delay.count()),
                                        "--failure",
                                        Cat(launch.demo.failure_percent)};
  const std::string socket = Cat(directory, "/", kSocketFile);
  if (FitsUnixSocket(socket)) {
    arguments.insert(arguments.end(), {"--unix-socket", socket});
  }
  return arguments;
}

absl::StatusOr<ProcessLaunch> ProcessWorkers::ProcessFor(const WorkerLaunch& launch) const {
  const std::string directory = DirectoryOf(launch.instance);
  ProcessLaunch process;
  if (launch.workload.is_demo()) {
    process.program = options_.worker_program;
    process.arguments = ArgumentsFor(launch);
    process.working_directory = directory;
    process.data_bytes_max = launch.workload.resources.memory_bytes;
  } else {
    GOCOMET_ASSIGN_OR_RETURN(process, ProcessOf(launch, options_.config_directory));
  }
  process.stdout_file = Cat(directory, "/", kStdoutFile);
  process.stderr_file = Cat(directory, "/", kStderrFile);
  return process;
}

// The record is on disk before the process and all its other files, so that none is ever lost.
absl::Status ProcessWorkers::Spawn(const WorkerLaunch& launch, const ProcessLaunch& process,
                                   ProcessRecord& record) {
  const std::string directory = DirectoryOf(launch.instance);
  GOCOMET_RETURN_IF_ERROR(MakeDirectories(directory, 0700));
  GOCOMET_RETURN_IF_ERROR(Save(record));
  if (record.is_demo) {
    GOCOMET_RETURN_IF_ERROR(
        WriteFileAtomically(Cat(directory, "/", kTokenFile), launch.token, 0600));
  }
  GOCOMET_ASSIGN_OR_RETURN(record.process, children_.Start(process, ExitOf(launch.instance)));
  absl::Status saved = Save(record);
  if (!saved.ok()) (void)children_.Signal(record.process, SIGKILL);
  return saved;
}

ChildProcesses::OnExit ProcessWorkers::ExitOf(const std::string& instance) {
  return [this, instance](const ProcessIdentity& process, const ProcessExit& exit) {
    queue_.Post([this, instance, process, exit] { OnExit(instance, process, exit); });
  };
}

void ProcessWorkers::OnExit(const std::string& instance, const ProcessIdentity& process,
                            const ProcessExit& exit) {
  Entry* entry = FindRunning(instance, process);
  if (entry == nullptr) return;
  RuntimeWorker::Exit ended;
  ended.code = exit.code;
  ended.signal = exit.signal;
  ended.time = options_.clock->Wall();
  if (!exit.known) {
    ended.error =
        "it ended in a way unknown: another control plane started it, and only that is told";
  }
  End(*entry, ended);
  changed_();
}

void ProcessWorkers::End(Entry& entry, const RuntimeWorker::Exit& exit) {
  entry.record.exit = exit;
  (void)Save(entry.record);  // Where this fails, a later control plane finds no such process.
  for (const Done& done : std::exchange(entry.on_ended, {})) done(absl::OkStatus());
}

ProcessWorkers::Entry* ProcessWorkers::FindRunning(const std::string& handle,
                                                   const ProcessIdentity& process) {
  const auto found = workers_.find(handle);
  if (found == workers_.end() || !found->second.running()) return nullptr;
  return found->second.record.process == process ? &found->second : nullptr;
}

void ProcessWorkers::Stop(const std::string& handle, milliseconds grace, const Done& done) {
  const auto found = workers_.find(handle);
  if (found == workers_.end() || !found->second.running()) return done(absl::OkStatus());
  Entry& entry = found->second;
  const ProcessIdentity process = entry.record.process;
  entry.on_ended.push_back(done);
  if (grace.count() <= 0) return Kill(handle, process);
  const int signal = SignalNumber(entry.record.stop_signal);
  (void)children_.Signal(process, signal);  // Where it has ended, its exit is on its way.
  queue_.PostIn(grace, [this, handle, process] { Kill(handle, process); });
}

void ProcessWorkers::Kill(const std::string& handle, const ProcessIdentity& process) {
  Entry* entry = FindRunning(handle, process);
  if (entry == nullptr) return;
  if (queue_.draining()) return GiveUp(handle, process);
  (void)children_.Signal(process, SIGKILL);
  queue_.PostIn(kKillPatience, [this, handle, process] { GiveUp(handle, process); });
}

void ProcessWorkers::GiveUp(const std::string& handle, const ProcessIdentity& process) {
  Entry* entry = FindRunning(handle, process);
  if (entry == nullptr) return;
  const absl::Status status =
      queue_.draining()
          ? absl::CancelledError("the control plane ends; the worker was told to stop")
          : absl::DeadlineExceededError(Cat("process ", process.pid, " of worker ", handle,
                                            " has not ended ", kKillPatience.count(),
                                            " ms after SIGKILL; look at its state with ps"));
  for (const Done& done : std::exchange(entry->on_ended, {})) done(status);
}

void ProcessWorkers::Remove(const std::string& handle, const Done& done) {
  Stop(handle, milliseconds(0), [this, handle, done](const absl::Status& stopped) {
    if (!stopped.ok()) return done(stopped);
    if (!workers_.contains(handle)) return done(absl::OkStatus());
    // Later, since this may run inside an entry's own call.
    queue_.Post([this, handle, done] { done(DeleteFiles(handle)); });
  });
}

// By another name first: what is left of it by a control plane that dies meanwhile is then
// nobody's.
absl::Status ProcessWorkers::DeleteFiles(const std::string& handle) {
  const std::string gone = Cat(options_.workers_directory, "/", kGonePrefix, handle);
  std::error_code error;
  std::filesystem::rename(DirectoryOf(handle), gone, error);
  if (error == std::errc::no_such_file_or_directory) error.clear();
  if (!error) std::filesystem::remove_all(gone, error);
  if (error) {
    return absl::UnavailableError(
        Cat("cannot delete the directory ", DirectoryOf(handle), ": ", error.message()));
  }
  workers_.erase(handle);
  return absl::OkStatus();
}

std::vector<RuntimeWorker> ProcessWorkers::List() const {
  std::vector<RuntimeWorker> workers;
  for (const auto& [instance, entry] : workers_) workers.push_back(ToRuntimeWorker(entry.record));
  return workers;
}

bool ProcessWorkers::IsRunning(const std::string& handle) const {
  const auto found = workers_.find(handle);
  return found != workers_.end() && found->second.running();
}

}  // namespace gocomet::controlplane
