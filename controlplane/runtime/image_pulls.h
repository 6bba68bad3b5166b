#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "controlplane/runtime/engine_client.h"
#include "controlplane/runtime/engine_streams.h"
#include "controlplane/runtime/runtime_driver.h"
#include "controlplane/runtime/task_queue.h"

namespace gocomet::controlplane {

// Brings images that the engine does not have. Holds no thread while one is pulled. Those who wait
// for the same image share its pull. Any thread.
class ImagePulls {
 public:
  using Done = std::function<void(absl::Status)>;
  using Tell = std::function<void(RuntimeNote)>;

  // Any pull is given up after this.
  static constexpr std::chrono::minutes kPullMax{30};

  // A pull that says nothing new for `stall_max` is given up.
  ImagePulls(const EngineClient& engine, TaskQueue& queue, EngineStreams& streams,
             std::chrono::milliseconds stall_max, Tell tell);

  // OK once the engine has it. Waits for one call of the API; `done` is called before it returns,
  // or later on another thread, and must not block.
  void Ensure(const std::string& image, const std::string& service, const std::string& instance,
              const Done& done);

  // That instance does not wait any longer, also where it is still about to: it is answered with
  // CANCELLED. The pull goes on.
  void GiveUp(const std::string& instance);
  // Whoever waits, or comes later, is answered with CANCELLED.
  void Cancel();

 private:
  struct Pull;

  absl::StatusOr<bool> Has(const std::string& image) const;
  bool IsLate(const Pull& pull) const;
  void TellProgress(const std::string& image, Pull& pull);
  void Begin(const std::string& image, const std::shared_ptr<Pull>& pull);
  void OnEnded(const std::string& image, const std::shared_ptr<Pull>& pull, absl::Status status);
  void Finish(const std::string& image, const std::shared_ptr<Pull>& pull,
              const absl::Status& status);

  const EngineClient& engine_;
  TaskQueue& queue_;
  EngineStreams& streams_;
  const std::chrono::milliseconds stall_max_;
  const Tell tell_;
  std::mutex mutex_;                                    // Guards what follows.
  std::map<std::string, std::shared_ptr<Pull>> pulls_;  // By image.
  std::deque<std::string> given_up_;                    // Instances, lately.
  bool cancelled_ = false;
};

}  // namespace gocomet::controlplane
