#include "controlplane/runtime/external_driver.h"

#include <map>
#include <utility>

#include "common/base/address.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/task_queue.h"
#include "controlplane/runtime/worker_address.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kCallsWaitingMax = 4096;
constexpr std::string_view kHandlePrefix = "elsewhere-";

// The first 48 bits of FNV-1a (64 bits) as 12 hex digits: short and the same for ever.
std::string IdOf(std::string_view address) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : address) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  std::string id;
  for (int shift = 60; id.size() < 12; shift -= 4)
    id.push_back("0123456789abcdef"[hash >> shift & 15]);
  return id;
}

// Everything but the public methods runs on the one thread of queue_, which owns the workers.
class ExternalDriver : public RuntimeDriver {
 public:
  explicit ExternalDriver(ExternalDriverOptions options) : options_(options) {}
  ~ExternalDriver() override { queue_.Drain(); }

  RuntimeKind kind() const override { return RuntimeKind::kExternal; }
  std::string description() const override { return "workers that somebody else runs"; }

  void Prepare(Done<absl::Status> done) override {
    Request(std::move(done), [](const auto& answer) { answer(absl::OkStatus()); });
  }
  void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) override {
    Request(std::move(done), [this, launch](const auto& answer) { answer(Remember(launch)); });
  }
  void Stop(const std::string& handle, std::chrono::milliseconds,
            Done<absl::Status> done) override {
    Remove(handle, std::move(done));
  }
  void Remove(const std::string& handle, Done<absl::Status> done) override {
    Request(std::move(done), [this, handle](const auto& answer) {
      workers_.erase(handle);
      answer(absl::OkStatus());
    });
  }
  void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) override {
    Request(std::move(done), [this](const auto& answer) {
      std::vector<RuntimeWorker> all;
      for (const auto& [handle, worker] : workers_) all.push_back(worker);
      answer(std::move(all));
    });
  }
  // Nothing is ever seen to change.
  void Watch(std::function<void()>) override {}

  absl::StatusOr<std::unique_ptr<LogStream>> Logs(const std::string& handle, int, bool,
                                                  std::function<void(RuntimeLogLine)>,
                                                  std::function<void(absl::Status)>) override {
    return absl::UnimplementedError(Cat("GoComet does not run worker ", handle,
                                        ", so it has no logs of it; look where it runs"));
  }

 private:
  template <typename Answer, typename Call>
  void Request(Done<Answer> done, Call call) {
    if (queue_.TryPost([done, call = std::move(call)] { call(done); })) return;
    queue_.Post([done] {
      done(absl::ResourceExhaustedError("too many calls wait for the external runtime; try again"));
    });
  }

  static absl::StatusOr<std::string> AddressOf(const WorkerLaunch& launch) {
    if (!launch.endpoint.empty()) return launch.endpoint;
    if (!launch.workload.endpoints.empty()) {
      return absl::UnavailableError(
          Cat("each endpoint of ", launch.service, " still has a worker that is on its way out"));
    }
    GOCOMET_RETURN_IF_ERROR(Address::FromIpAndPort(launch.bind_address, launch.port).status());
    return ReachableAddress(launch.bind_address, launch.port);
  }

  absl::StatusOr<RuntimeWorker> Remember(const WorkerLaunch& launch) {
    RuntimeWorker worker;
    GOCOMET_ASSIGN_OR_RETURN(worker.address, AddressOf(launch));
    worker.balancer_address = worker.address;
    worker.id = IdOf(Cat(launch.service, " ", worker.address));
    worker.handle = Cat(kHandlePrefix, worker.id);
    worker.instance = launch.instance;
    worker.service = launch.service;
    worker.ordinal = launch.ordinal;
    worker.port = launch.port;
    worker.template_hash = launch.template_hash;
    worker.created = options_.clock->Wall();
    worker.running = true;
    const auto [entry, added] = workers_.emplace(worker.handle, worker);
    if (added || entry->second.instance == launch.instance) return entry->second;
    return absl::AlreadyExistsError(Cat("the worker at ", worker.address, " is ",
                                        entry->second.service, "-", entry->second.ordinal,
                                        " already"));
  }

  const ExternalDriverOptions options_;
  std::map<std::string, RuntimeWorker> workers_;  // By handle.
  TaskQueue queue_{1, kCallsWaitingMax};          // Last: its thread uses all of the above.
};

// Tells by the launch, and later by the handle, whose a worker is.
class DriverWithEndpoints : public RuntimeDriver {
 public:
  explicit DriverWithEndpoints(std::unique_ptr<RuntimeDriver> driver)
      : driver_(std::move(driver)) {}

  RuntimeKind kind() const override { return driver_->kind(); }
  std::string description() const override { return driver_->description(); }
  void Prepare(Done<absl::Status> done) override { driver_->Prepare(std::move(done)); }
  void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) override {
    RuntimeDriver& driver = launch.workload.endpoints.empty() ? *driver_ : *elsewhere_;
    driver.Start(launch, std::move(done));
  }
  void GiveUpStart(const std::string& instance) override { driver_->GiveUpStart(instance); }
  void Stop(const std::string& handle, std::chrono::milliseconds grace,
            Done<absl::Status> done) override {
    Of(handle).Stop(handle, grace, std::move(done));
  }
  void Remove(const std::string& handle, Done<absl::Status> done) override {
    Of(handle).Remove(handle, std::move(done));
  }
  void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) override {
    elsewhere_->List([this, done](absl::StatusOr<std::vector<RuntimeWorker>> theirs) {
      if (!theirs.ok()) return done(std::move(theirs));
      driver_->List(
          [done, theirs = *std::move(theirs)](absl::StatusOr<std::vector<RuntimeWorker>> all) {
            if (all.ok()) all->insert(all->end(), theirs.begin(), theirs.end());
            done(std::move(all));
          });
    });
  }
  void Watch(std::function<void()> changed) override { driver_->Watch(std::move(changed)); }
  void Listen(const std::function<void(RuntimeNote)>& tell) override { driver_->Listen(tell); }
  absl::StatusOr<std::unique_ptr<LogStream>> Logs(const std::string& handle, int tail, bool follow,
                                                  std::function<void(RuntimeLogLine)> line,
                                                  std::function<void(absl::Status)> end) override {
    return Of(handle).Logs(handle, tail, follow, std::move(line), std::move(end));
  }

 private:
  RuntimeDriver& Of(const std::string& handle) {
    return handle.starts_with(kHandlePrefix) ? *elsewhere_ : *driver_;
  }

  const std::unique_ptr<RuntimeDriver> driver_;
  const std::unique_ptr<RuntimeDriver> elsewhere_ = MakeExternalDriver();  // Ends first.
};

}  // namespace

std::unique_ptr<RuntimeDriver> WithEndpoints(std::unique_ptr<RuntimeDriver> driver) {
  return std::make_unique<DriverWithEndpoints>(std::move(driver));
}

std::unique_ptr<RuntimeDriver> MakeExternalDriver(ExternalDriverOptions options) {
  return std::make_unique<ExternalDriver>(options);
}

}  // namespace gocomet::controlplane
