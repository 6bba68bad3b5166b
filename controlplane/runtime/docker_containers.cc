#include "controlplane/runtime/docker_containers.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>
#include <utility>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/docker_errors.h"
#include "controlplane/runtime/worker_address.h"
#include "controlplane/runtime/workload_environment.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kKillPatience{10'000};  // From SIGKILL to the end of the container.
constexpr milliseconds kPauseMax{500};
constexpr int kCallsPerTask = 3;  // Slow ones that a task is given the time for.
// Who workers are in their containers where we are root: nobody on the host.
constexpr unsigned kWorkerUser = 65532;

bool IsRoot() { return ::geteuid() == 0; }

absl::Status GiveToWorker(const std::string& path) {
  if (!IsRoot() || ::lchown(path.c_str(), kWorkerUser, kWorkerUser) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, Cat("cannot give ", path, " to the worker's user"));
}

std::string UserOfWorkers() {
  return IsRoot() ? Cat(kWorkerUser, ":", kWorkerUser) : Cat(::getuid(), ":", ::getgid());
}

absl::Status NotUnderstood(const absl::Status& parsed, std::string_view what) {
  return absl::InternalError(
      Cat("the Docker engine's answer about ", what, " is not understood: ", MessageOf(parsed)));
}

}  // namespace

DockerContainers::DockerContainers(const DockerDriverOptions& options, const EngineClient& engine,
                                   DockerImage& image, ImagePulls& pulls, TaskQueue& queue)
    : options_(options),
      engine_(engine),
      image_(image),
      queue_(queue),
      pulls_(pulls),
      doubtful_(FindDirectories()) {}

std::string DockerContainers::DirectoryOf(const std::string& instance) const {
  return Cat(options_.workers_directory, "/", instance);
}

EngineCalls DockerContainers::Calls() const {
  return {engine_, std::chrono::steady_clock::now() + kCallsPerTask * engine_.patience()};
}

void DockerContainers::Start(const WorkerLaunch& launch, const Started& done) {
  if (!IsInstance(launch.instance)) {
    return done(absl::InvalidArgumentError(
        Cat("'", launch.instance, "' is not an instance: expected 12 hex digits")));
  }
  const Workload& workload = launch.workload;
  if (workload.is_demo()) return done(StartDemo(launch));
  const std::string service = Cat("the service ", launch.service);
  if (workload.image.empty()) {
    return done(absl::InvalidArgumentError(
        Cat(service,
            " has a command and no image, and the runtime is `docker`; give it an image, "
            "or use `runtime: process`")));
  }
  pulls_.Ensure(workload.image, launch.service, launch.instance,
                [this, launch, done, service](const absl::Status& there) {
                  if (!there.ok()) return done(WithContext(there, service));
                  queue_.Post([this, launch, done, service] {
                    auto worker = StartImage(launch);
                    if (!worker.ok()) worker = WithContext(worker.status(), service);
                    done(std::move(worker));
                  });
                });
}

absl::StatusOr<RuntimeWorker> DockerContainers::StartDemo(const WorkerLaunch& launch) {
  ContainerSpec spec;
  spec.launch = launch;
  spec.cluster = options_.cluster;
  spec.user = UserOfWorkers();
  spec.worker_directory = DirectoryOf(launch.instance);
  spec.report_directory = options_.report_directory;
  GOCOMET_ASSIGN_OR_RETURN(spec.image, image_.Name());
  auto worker = Run(spec);
  const std::lock_guard hold(mutex_);
  if (worker.ok()) {
    doubtful_.erase(launch.instance);
  } else {
    doubtful_.insert(launch.instance);
  }
  return worker;
}

absl::StatusOr<RuntimeWorker> DockerContainers::StartImage(const WorkerLaunch& launch) {
  ContainerSpec spec;
  spec.launch = launch;
  spec.cluster = options_.cluster;
  spec.image = launch.workload.image;
  GOCOMET_ASSIGN_OR_RETURN(spec.environment, EnvironmentOf(launch, launch.workload.container_port,
                                                           options_.config_directory));
  GOCOMET_ASSIGN_OR_RETURN(spec.volumes, VolumesOf(launch.workload));
  return Run(spec);
}

absl::StatusOr<std::vector<Volume>> DockerContainers::VolumesOf(const Workload& workload) const {
  std::vector<Volume> volumes = workload.volumes;
  for (Volume& volume : volumes) {
    volume.source = PathFrom(options_.config_directory, volume.source);
    // An engine elsewhere may have what is not here, and says itself what is missing.
    if (!engine_.endpoint().is_unix() || ::access(volume.source.c_str(), F_OK) == 0) continue;
    return absl::ErrnoToStatus(
        errno, Cat("the volume for ", volume.target, " cannot be mounted: ", volume.source));
  }
  return volumes;
}

absl::StatusOr<RuntimeWorker> DockerContainers::Run(const ContainerSpec& spec) {
  const EngineCalls engine = Calls();
  GOCOMET_ASSIGN_OR_RETURN(const std::string id, FindOrCreate(engine, spec));
  GOCOMET_ASSIGN_OR_RETURN(Container container, MustInspect(engine, id));
  if (container.never_started) {
    GOCOMET_RETURN_IF_ERROR(StartContainer(engine, id, spec));
    GOCOMET_ASSIGN_OR_RETURN(container, MustInspect(engine, id));
  }
  return ToWorker(container);
}

absl::Status DockerContainers::MakeWorkerDirectory(const WorkerLaunch& launch) const {
  const std::string directory = DirectoryOf(launch.instance);
  const std::string token = Cat(directory, "/token");
  // Balancers, which have no capabilities, reach its socket; strangers do not come this far.
  GOCOMET_RETURN_IF_ERROR(MakeDirectories(directory, 0711));
  GOCOMET_RETURN_IF_ERROR(WriteFileAtomically(token, launch.token, 0600));
  GOCOMET_RETURN_IF_ERROR(GiveToWorker(token));
  return GiveToWorker(directory);
}

absl::StatusOr<std::string> DockerContainers::FindOrCreate(const EngineCalls& engine,
                                                           const ContainerSpec& spec) {
  const std::string& instance = spec.launch.instance;
  GOCOMET_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                           Ids(engine, ClusterFilter(options_.cluster, instance)));
  if (!ids.empty()) return ids.front();
  const bool is_demo = spec.launch.workload.is_demo();
  if (is_demo) GOCOMET_RETURN_IF_ERROR(MakeWorkerDirectory(spec.launch));
  GOCOMET_ASSIGN_OR_RETURN(EngineAnswer answer, Create(engine, spec));
  if (answer.status == 409) {
    GOCOMET_RETURN_IF_ERROR(ClearName(engine, spec));
    GOCOMET_ASSIGN_OR_RETURN(answer, Create(engine, spec));
  } else if (answer.status == 404 && is_demo) {  // Somebody has removed the image.
    GOCOMET_RETURN_IF_ERROR(image_.Ensure().status());
    GOCOMET_ASSIGN_OR_RETURN(answer, Create(engine, spec));
  }
  if (!answer.ok()) {
    (void)DeleteFiles(instance);
    return ToStatus(answer.status, answer.body, Cat("create the container ", ContainerName(spec)));
  }
  auto id = ParseCreatedId(answer.body);
  if (!id.ok()) return NotUnderstood(id.status(), ContainerName(spec));
  return id;
}

absl::StatusOr<EngineAnswer> DockerContainers::Create(const EngineCalls& engine,
                                                      const ContainerSpec& spec) const {
  return engine.Post(Cat("/containers/create?name=", PercentEncode(ContainerName(spec))),
                     CreateContainerBody(spec));
}

// An earlier worker's container that has ended may go; anyone else's may not.
absl::Status DockerContainers::ClearName(const EngineCalls& engine, const ContainerSpec& spec) {
  const std::string name = ContainerName(spec);
  GOCOMET_ASSIGN_OR_RETURN(const std::optional<Container> holder, Inspect(engine, name));
  if (!holder) return absl::OkStatus();
  if (holder->cluster != options_.cluster) {
    return absl::AlreadyExistsError(Cat("a container that is not of this cluster, ",
                                        holder->worker.id, ", has the name ", name,
                                        "; remove or rename it: docker rm -f ", name));
  }
  if (holder->worker.running) {
    return absl::AlreadyExistsError(Cat("the container ", name, " still runs, as worker ",
                                        holder->worker.id, "; it has to be removed first"));
  }
  return Remove(engine, holder->id);
}

absl::Status DockerContainers::StartContainer(const EngineCalls& engine, const std::string& id,
                                              const ContainerSpec& spec) {
  const std::string what =
      Cat("start the container ", ContainerName(spec), " on port ", spec.launch.port);
  GOCOMET_ASSIGN_OR_RETURN(const EngineAnswer answer,
                           engine.Post(Cat("/containers/", id, "/start")));
  if (answer.ok() || answer.status == 304) return absl::OkStatus();
  absl::Status failed = ToStatus(answer.status, answer.body, what);
  (void)Delete(engine, id);  // What stays is listed, and found to be wanted by nobody.
  (void)DeleteFiles(spec.launch.instance);
  return failed;
}

absl::StatusOr<std::optional<Container>> DockerContainers::Inspect(const EngineCalls& engine,
                                                                   const std::string& id_or_name) {
  GOCOMET_ASSIGN_OR_RETURN(const EngineAnswer answer,
                           engine.Get(Cat("/containers/", PercentEncode(id_or_name), "/json")));
  if (answer.status == 404) return std::nullopt;
  if (!answer.ok()) {
    return ToStatus(answer.status, answer.body, Cat("inspect the container ", id_or_name));
  }
  auto container = ParseContainer(answer.body);
  if (!container.ok()) {
    return NotUnderstood(container.status(), Cat("the container ", id_or_name));
  }
  return *std::move(container);
}

absl::StatusOr<Container> DockerContainers::MustInspect(const EngineCalls& engine,
                                                        const std::string& id) {
  GOCOMET_ASSIGN_OR_RETURN(std::optional<Container> container, Inspect(engine, id));
  if (container) return *std::move(container);
  return absl::AbortedError(
      Cat("somebody removed the container ", id.substr(0, 12), " while it was started"));
}

absl::StatusOr<std::vector<std::string>> DockerContainers::Ids(const EngineCalls& engine,
                                                               const std::string& filter) {
  GOCOMET_ASSIGN_OR_RETURN(
      const EngineAnswer answer,
      engine.Get(Cat("/containers/json?all=1&filters=", PercentEncode(filter))));
  if (!answer.ok()) return ToStatus(answer.status, answer.body, "list the containers");
  auto ids = ParseContainerIds(answer.body);
  if (!ids.ok()) return NotUnderstood(ids.status(), "its containers");
  return ids;
}

absl::StatusOr<std::vector<RuntimeWorker>> DockerContainers::List() {
  std::set<std::string> doubtful;  // Before the question: a later start is not in its answer.
  {
    const std::lock_guard hold(mutex_);
    doubtful = doubtful_;
  }
  const EngineCalls engine = Calls();
  GOCOMET_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                           Ids(engine, ClusterFilter(options_.cluster)));
  std::vector<RuntimeWorker> workers;
  for (const std::string& id : ids) {
    GOCOMET_ASSIGN_OR_RETURN(const std::optional<Container> container, Inspect(engine, id));
    if (container) workers.push_back(ToWorker(*container));  // Else gone meanwhile.
  }
  DeleteUnused(doubtful, workers);
  return workers;
}

std::set<std::string> DockerContainers::FindDirectories() const {
  std::set<std::string> instances;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(options_.workers_directory, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool is_process = std::filesystem::exists(entry.path() / "process.json", ignored);
    if (IsInstance(name) && !is_process) instances.insert(name);
  }
  return instances;
}

void DockerContainers::DeleteUnused(const std::set<std::string>& doubtful,
                                    const std::vector<RuntimeWorker>& there) {
  std::set<std::string> unused = doubtful;
  for (const RuntimeWorker& worker : there) unused.erase(worker.instance);
  for (const std::string& instance : unused) (void)DeleteFiles(instance);
  const std::lock_guard hold(mutex_);
  for (const std::string& instance : doubtful) doubtful_.erase(instance);
}

RuntimeWorker DockerContainers::ToWorker(const Container& container) {
  RuntimeWorker worker = container.worker;
  const bool reachable = engine_.endpoint().is_unix() && !container.ip_address.empty() &&
                         IsOurAddress(container.gateway);
  worker.balancer_address =
      reachable ? Cat(container.ip_address, ":", container.port_inside) : worker.address;
  if (container.is_demo) {
    worker.balancer_address =
        BalancerAddress(Cat(DirectoryOf(worker.instance), "/http.sock"), worker.balancer_address);
  }
  if (worker.created == WallTime{}) worker.created = options_.clock->Wall();
  if (worker.exit && worker.exit->time == WallTime{}) worker.exit->time = options_.clock->Wall();
  const std::lock_guard hold(mutex_);
  known_[worker.handle] = {worker.instance, container.stop_signal};
  return worker;
}

absl::StatusOr<std::string> DockerContainers::StopSignalOf(const EngineCalls& engine,
                                                           const std::string& handle) {
  std::string signal;
  if (!FindKnownSignal(handle, &signal)) {
    GOCOMET_ASSIGN_OR_RETURN(const std::optional<Container> container, Inspect(engine, handle));
    if (container) signal = container->stop_signal;
  }
  return signal.empty() ? std::string("SIGTERM") : signal;
}

bool DockerContainers::FindKnownSignal(const std::string& handle, std::string* signal) {
  const std::lock_guard hold(mutex_);
  const auto found = known_.find(handle);
  if (found != known_.end()) *signal = found->second.stop_signal;
  return found != known_.end();
}

absl::Status DockerContainers::SendSignal(const EngineCalls& engine, const std::string& handle,
                                          const std::string& signal) {
  GOCOMET_ASSIGN_OR_RETURN(
      const EngineAnswer answer,
      engine.Post(Cat("/containers/", PercentEncode(handle), "/kill?signal=", signal)));
  // 404: gone. 409: does not run.
  if (answer.ok() || answer.status == 404 || answer.status == 409) return absl::OkStatus();
  return ToStatus(answer.status, answer.body, Cat("stop the container ", handle));
}

void DockerContainers::Stop(const std::string& handle, milliseconds grace, const Done& done) {
  const EngineCalls engine = Calls();
  const bool at_once = grace.count() <= 0;
  const auto signal = at_once ? std::string("SIGKILL") : StopSignalOf(engine, handle);
  if (!signal.ok()) return done(signal.status());
  const absl::Status sent = SendSignal(engine, handle, *signal);
  if (!sent.ok()) return done(sent);
  const SteadyTime now = std::chrono::steady_clock::now();
  WatchStop({handle, now + grace, now + grace + kKillPatience, at_once, milliseconds(20), done});
}

void DockerContainers::WatchStop(Stopping stopping) {
  const EngineCalls engine = Calls();
  const auto container = Inspect(engine, stopping.handle);
  const bool ended = container.ok() && (!*container || !(*container)->worker.running);
  if (ended) return stopping.done(absl::OkStatus());
  if (queue_.draining()) {
    return stopping.done(
        absl::CancelledError("the control plane ends; the worker was told to stop"));
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now >= stopping.give_up_at) {
    return stopping.done(container.ok() ? absl::DeadlineExceededError(Cat(
                                              "the container ", stopping.handle, " has not ended ",
                                              kKillPatience.count(), " ms after SIGKILL"))
                                        : container.status());
  }
  if (now >= stopping.kill_at && !stopping.killed) {
    stopping.killed = SendSignal(engine, stopping.handle, "SIGKILL").ok();
  }
  const SteadyTime next = now + stopping.pause;
  stopping.pause = std::min(stopping.pause * 3 / 2, kPauseMax);
  const SteadyTime look_at = stopping.killed ? next : std::min(next, stopping.kill_at);
  queue_.PostAt(std::max(look_at, now + milliseconds(1)),
                [this, stopping = std::move(stopping)] { WatchStop(stopping); });
}

absl::Status DockerContainers::Remove(const std::string& handle) { return Remove(Calls(), handle); }

absl::Status DockerContainers::Remove(const EngineCalls& engine, const std::string& handle) {
  std::string instance;
  std::string id = handle;
  GOCOMET_ASSIGN_OR_RETURN(const std::optional<Container> container, Inspect(engine, handle));
  if (container) {
    if (container->cluster != options_.cluster) {
      return absl::FailedPreconditionError(
          Cat("the container ", handle, " is not of this cluster and is left alone"));
    }
    instance = container->worker.instance;
    id = container->id;
    GOCOMET_RETURN_IF_ERROR(Delete(engine, id));
  }
  {
    const std::lock_guard hold(mutex_);
    const auto known = known_.extract(id);
    if (instance.empty() && !known.empty()) instance = known.mapped().instance;
  }
  return instance.empty() ? absl::OkStatus() : DeleteFiles(instance);
}

absl::Status DockerContainers::Delete(const EngineCalls& engine, const std::string& id) {
  while (true) {
    GOCOMET_ASSIGN_OR_RETURN(const EngineAnswer answer,
                             engine.Delete(Cat("/containers/", id, "?force=1&v=1")));
    if (answer.ok() || answer.status == 404) return absl::OkStatus();
    // 409: somebody removes it already.
    if (answer.status != 409 || std::chrono::steady_clock::now() >= engine.give_up_at()) {
      return ToStatus(answer.status, answer.body, Cat("remove the container ", id));
    }
    std::this_thread::sleep_for(milliseconds(50));
  }
}

absl::Status DockerContainers::DeleteFiles(const std::string& instance) const {
  std::error_code error;
  std::filesystem::remove_all(DirectoryOf(instance), error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      Cat("cannot delete the directory ", DirectoryOf(instance), ": ", error.message()));
}

}  // namespace gocomet::controlplane
