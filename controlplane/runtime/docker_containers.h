#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controlplane/runtime/container_body.h"
#include "controlplane/runtime/docker_driver.h"
#include "controlplane/runtime/docker_image.h"
#include "controlplane/runtime/docker_messages.h"
#include "controlplane/runtime/engine_client.h"
#include "controlplane/runtime/image_pulls.h"
#include "controlplane/runtime/task_queue.h"

namespace gocomet::controlplane {

// The containers of one cluster. Calls wait for the engine's answers, each for three calls'
// patience at most in all, and run on the threads of `queue`, several at once.
class DockerContainers {
 public:
  using Done = std::function<void(absl::Status)>;

  using Started = std::function<void(absl::StatusOr<RuntimeWorker>)>;

  DockerContainers(const DockerDriverOptions& options, const EngineClient& engine,
                   DockerImage& image, ImagePulls& pulls, TaskQueue& queue);

  // Does not hold a thread while an image is pulled.
  void Start(const WorkerLaunch& launch, const Started& done);
  // Does not hold a thread while the worker takes its time.
  void Stop(const std::string& handle, std::chrono::milliseconds grace, const Done& done);
  absl::Status Remove(const std::string& handle);
  absl::StatusOr<std::vector<RuntimeWorker>> List();

 private:
  // One Stop on its way.
  struct Stopping {
    std::string handle;
    SteadyTime kill_at;
    SteadyTime give_up_at;
    bool killed = false;
    std::chrono::milliseconds pause{20};
    Done done;
  };

  EngineCalls Calls() const;
  absl::StatusOr<RuntimeWorker> StartDemo(const WorkerLaunch& launch);
  absl::StatusOr<RuntimeWorker> StartImage(const WorkerLaunch& launch);
  absl::StatusOr<RuntimeWorker> Run(const ContainerSpec& spec);
  absl::StatusOr<std::vector<Volume>> VolumesOf(const Workload& workload) const;
  absl::Status MakeWorkerDirectory(const WorkerLaunch& launch) const;
  absl::StatusOr<std::string> StopSignalOf(const EngineCalls& engine, const std::string& handle);
  bool FindKnownSignal(const std::string& handle, std::string* signal);
  absl::StatusOr<std::string> FindOrCreate(const EngineCalls& engine, const ContainerSpec& spec);
  absl::StatusOr<EngineAnswer> Create(const EngineCalls& engine, const ContainerSpec& spec) const;
  absl::Status ClearName(const EngineCalls& engine, const ContainerSpec& spec);
  absl::Status StartContainer(const EngineCalls& engine, const std::string& id,
                              const ContainerSpec& spec);
  // Nothing where there is none of that id or name.
  static absl::StatusOr<std::optional<Container>> Inspect(const EngineCalls& engine,
                                                          const std::string& id_or_name);
  // The same where it was there a moment ago.
  static absl::StatusOr<Container> MustInspect(const EngineCalls& engine, const std::string& id);
  static absl::StatusOr<std::vector<std::string>> Ids(const EngineCalls& engine,
                                                      const std::string& filter);
  static absl::Status SendSignal(const EngineCalls& engine, const std::string& handle,
                                 const std::string& signal);
  void WatchStop(Stopping stopping);
  absl::Status Remove(const EngineCalls& engine, const std::string& handle);
  static absl::Status Delete(const EngineCalls& engine, const std::string& id);
  absl::Status DeleteFiles(const std::string& instance) const;
  std::set<std::string> FindDirectories() const;
  // Those of starts that never came to a container.
  void DeleteUnused(const std::set<std::string>& doubtful, const std::vector<RuntimeWorker>& there);
  RuntimeWorker ToWorker(const Container& container);
  std::string DirectoryOf(const std::string& instance) const;

  const DockerDriverOptions& options_;
  const EngineClient& engine_;
  DockerImage& image_;
  TaskQueue& queue_;
  struct Known {
    std::string instance;  // Whose files go when the container is gone already.
    std::string stop_signal;
  };
  ImagePulls& pulls_;
  std::mutex mutex_;                    // Guards what follows.
  std::map<std::string, Known> known_;  // By handle.
  // Instances that have a directory and may have no container: those of an earlier control plane,
  // and those whose start failed.
  std::set<std::string> doubtful_;
};

}  // namespace gocomet::controlplane
