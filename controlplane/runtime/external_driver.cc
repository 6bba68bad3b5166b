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
    return absl::UnimplementedError(
        Cat("GoComet does not run worker ", handle,
            " (`runtime: external`), so it has no logs of it; look where it runs"));
  }

 private:
  template <typename Answer, typename Call>
  void Request(Done<Answer> done, Call call) {
    if (queue_.TryPost([done, call = std::move(call)] { call(done); })) return;
    queue_.Post([done] {
      done(absl::ResourceExhaustedError("too many calls wait for the external runtime; try again"));
    });
  }

  absl::StatusOr<RuntimeWorker> Remember(const WorkerLaunch& launch) {
    GOCOMET_RETURN_IF_ERROR(Address::FromIpAndPort(launch.bind_address, launch.port).status());
    RuntimeWorker worker;
    worker.address = ReachableAddress(launch.bind_address, launch.port);
    worker.balancer_address = worker.address;
    worker.id = IdOf(worker.address);
    worker.handle = worker.id;
    worker.instance = launch.instance;
    worker.service = launch.service;
    worker.ordinal = launch.ordinal;
    worker.port = launch.port;
    worker.template_hash = launch.template_hash;
    worker.created = options_.clock->Wall();
    worker.running = true;
    const auto [entry, added] = workers_.emplace(worker.handle, worker);
    if (added || entry->second.instance == launch.instance) return entry->second;
    return absl::AlreadyExistsError(Cat("port ", launch.port, " is taken: the worker at ",
                                        worker.address, " is ", entry->second.service, "-",
                                        entry->second.ordinal, " already"));
  }

  const ExternalDriverOptions options_;
  std::map<std::string, RuntimeWorker> workers_;  // By handle.
  TaskQueue queue_{1, kCallsWaitingMax};          // Last: its thread uses all of the above.
};

}  // namespace

std::unique_ptr<RuntimeDriver> MakeExternalDriver(ExternalDriverOptions options) {
  return std::make_unique<ExternalDriver>(options);
}

}  // namespace gocomet::controlplane
