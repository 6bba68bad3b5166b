#include "controlplane/runtime/docker_driver.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/runtime/change_watcher.h"
#include "controlplane/runtime/docker_containers.h"
#include "controlplane/runtime/docker_image.h"
#include "controlplane/runtime/docker_log_frames.h"
#include "controlplane/runtime/docker_messages.h"
#include "controlplane/runtime/engine_client.h"
#include "controlplane/runtime/engine_streams.h"
#include "controlplane/runtime/image_pulls.h"
#include "controlplane/runtime/log_subscription.h"
#include "controlplane/runtime/task_queue.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;

constexpr int kCallsAtOnce = 4;
constexpr size_t kCallsWaitingMax = 4096;
constexpr milliseconds kWaitMax{30'000};  // For one of the threads.
constexpr milliseconds kReconnectMin{250};
constexpr milliseconds kReconnectMax{5'000};

class DockerDriver : public RuntimeDriver {
 public:
  DockerDriver(DockerDriverOptions options, EngineEndpoint endpoint)
      : options_(std::move(options)),
        engine_(std::move(endpoint), options_.call_patience),
        image_(engine_, options_.worker_program),
        queue_(kCallsAtOnce, kCallsWaitingMax),
        streams_(engine_.endpoint()),
        pulls_(engine_, queue_, streams_, options_.pull_patience,
               [this](const RuntimeNote& note) { Note(note); }),
        containers_(options_, engine_, image_, pulls_, queue_) {}

  ~DockerDriver() override {
    watcher_.Set(nullptr);
    Listen(nullptr);
    pulls_.Cancel();
    queue_.Drain();  // What the streams post after this does not run.
    streams_.End();
  }

  RuntimeKind kind() const override { return RuntimeKind::kDocker; }
  std::string description() const override {
    return Cat("docker engine at ", engine_.endpoint().ToString());
  }

  void Prepare(Done<absl::Status> done) override {
    Request<absl::Status>(std::move(done),
                          [this](const auto& answer) { answer(image_.Ensure().status()); });
  }
  void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) override {
    Request<absl::StatusOr<RuntimeWorker>>(
        std::move(done), [this, launch](const auto& answer) { containers_.Start(launch, answer); });
  }
  void Stop(const std::string& handle, milliseconds grace, Done<absl::Status> done) override {
    Request<absl::Status>(std::move(done), [this, handle, grace](const auto& answer) {
      containers_.Stop(handle, grace, answer);
    });
  }
  void Remove(const std::string& handle, Done<absl::Status> done) override {
    Request<absl::Status>(std::move(done), [this, handle](const auto& answer) {
      answer(containers_.Remove(handle));
    });
  }
  void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) override {
    Request<absl::StatusOr<std::vector<RuntimeWorker>>>(
        std::move(done), [this](const auto& answer) { answer(containers_.List()); });
  }

  void Watch(std::function<void()> changed) override {
    watcher_.Set(std::move(changed));
    if (!follows_events_.exchange(true)) queue_.Post([this] { OpenEvents(); });
  }

  void GiveUpStart(const std::string& instance) override {
    // Behind the start itself, which may still wait for its turn.
    queue_.Post([this, instance] { pulls_.GiveUp(instance); });
  }

  void Listen(const std::function<void(RuntimeNote)>& tell) override {
    const std::lock_guard hold(listener_mutex_);
    listener_ = tell;
  }

  absl::StatusOr<std::unique_ptr<LogStream>> Logs(const std::string& handle, int tail, bool follow,
                                                  std::function<void(RuntimeLogLine)> line,
                                                  std::function<void(absl::Status)> end) override {
    auto subscription = std::make_shared<LogSubscription>(std::move(line), std::move(end));
    const std::string target = Cat("/containers/", PercentEncode(handle),
                                   "/logs?stdout=1&stderr=1&timestamps=1&follow=", follow ? 1 : 0,
                                   "&tail=", tail < 0 ? std::string("all") : Cat(tail));
    if (!queue_.TryPost([this, target, subscription] { OpenLog(target, subscription); })) {
      return Busy();
    }
    return std::make_unique<SubscribedLogStream>(std::move(subscription));
  }

 private:
  static absl::Status Busy() {
    return absl::ResourceExhaustedError("too many calls wait for the Docker engine; try again");
  }

  template <typename Answer, typename Call>
  void Request(Done<Answer> done, Call call) {
    const SteadyTime give_up_at = std::chrono::steady_clock::now() + kWaitMax;
    const bool taken = queue_.TryPost([done, give_up_at, call = std::move(call)] {
      if (std::chrono::steady_clock::now() < give_up_at) return call(done);
      done(absl::DeadlineExceededError(
          "the Docker engine is too slow: the call was not made, as others still wait"));
    });
    if (!taken) queue_.Post([done] { done(Busy()); });
  }

  void Note(const RuntimeNote& note) {
    const std::lock_guard hold(listener_mutex_);
    if (listener_) listener_(note);
  }

  // An event may be lost while the stream is cut, hence a signal whenever it opens; and one when it
  // is cut, since the engine may be gone.
  void OpenEvents() {
    if (queue_.draining()) return;
    const auto path = engine_.Versioned(
        Cat("/events?filters=", PercentEncode(EventFilter(options_.cluster))), engine_.patience());
    if (!path.ok()) return OnEventsCut();
    streams_.Open({*path}, {.wanted = [] { return true; },
                            .opened =
                                [this] {
                                  events_open_ = true;
                                  reconnect_after_ = kReconnectMin;
                                  watcher_.Notify();
                                },
                            .data = [this](std::string_view) { watcher_.Notify(); },
                            .ended = [this](const absl::Status&) { OnEventsCut(); }});
  }

  void OnEventsCut() {
    engine_.ForgetVersion();
    const milliseconds after = reconnect_after_;
    reconnect_after_ = std::min(after * 2, kReconnectMax);
    queue_.PostIn(after, [this] { OpenEvents(); });
    if (events_open_.exchange(false)) watcher_.Notify();
  }

  void OpenLog(const std::string& target, const std::shared_ptr<LogSubscription>& subscription) {
    const auto path = engine_.Versioned(target, engine_.patience());
    if (!path.ok()) return subscription->End(path.status());
    const auto frames = std::make_shared<DockerLogFrames>();
    const auto pass_on = [subscription](RuntimeLogLine line) {
      subscription->Line(std::move(line));
    };
    streams_.Open({*path}, {.wanted = [subscription] { return !subscription->ended(); },
                            .opened = [] {},
                            .data =
                                [subscription, frames, pass_on](std::string_view bytes) {
                                  const absl::Status taken = frames->Add(bytes, pass_on);
                                  if (!taken.ok()) subscription->End(taken);
                                },
                            .ended =
                                [subscription, frames, pass_on](const absl::Status& status) {
                                  frames->Flush(pass_on);
                                  subscription->End(status);
                                }});
  }

  const DockerDriverOptions options_;
  const EngineClient engine_;
  DockerImage image_;
  ChangeWatcher watcher_;
  std::atomic<bool> follows_events_{false};
  std::atomic<bool> events_open_{false};
  std::atomic<milliseconds> reconnect_after_{kReconnectMin};
  std::mutex listener_mutex_;  // Held while it is called.
  std::function<void(RuntimeNote)> listener_;
  TaskQueue queue_;        // The threads of this,
  EngineStreams streams_;  // and of this, are ended by the destructor: they use all the others.
  ImagePulls pulls_;
  DockerContainers containers_;
};

}  // namespace

absl::StatusOr<std::string> ProbeDockerEngine(const std::string& docker_host,
                                              std::chrono::milliseconds timeout) {
  GOCOMET_ASSIGN_OR_RETURN(EngineEndpoint endpoint, ChooseEngineEndpoint(docker_host));
  return EngineClient(std::move(endpoint), timeout).Describe();
}

absl::StatusOr<std::unique_ptr<RuntimeDriver>> MakeDockerDriver(DockerDriverOptions options) {
  GOCOMET_ASSIGN_OR_RETURN(EngineEndpoint endpoint, ChooseEngineEndpoint(options.docker_host));
  return std::make_unique<DockerDriver>(std::move(options), std::move(endpoint));
}

}  // namespace gocomet::controlplane
