#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// How one worker is to run.
struct WorkerLaunch {
  std::string instance;  // 12 hex digits, chosen by the control plane: unique for ever.
  std::string service;
  uint32_t ordinal = 0;
  uint16_t port = 0;  // Host port.
  std::string bind_address;
  std::string template_hash;  // Kept with the worker, so that an adopted one can be judged.
  Workload workload;
  std::string endpoint;  // Which one of the workload's, where it has any.
  DemoWorker demo;       // Of the demo worker.
  std::string token;     // Allows this worker to report for itself; for the demo worker alone.
  std::chrono::milliseconds stop_grace{10000};
};

// A worker as the runtime sees it.
struct RuntimeWorker {
  std::string handle;  // The driver's own name for it: container id, or instance.
  std::string id;      // 12 hex digits that people see.
  std::string instance;
  std::string service;
  uint32_t ordinal = 0;
  uint16_t port = 0;
  std::string template_hash;
  std::string address;           // `IP:PORT` of the published port.
  std::string balancer_address;  // What balancers should connect to: IP:PORT or unix:/PATH.
  std::string image;
  int64_t pid = 0;
  // Of this run: another one each time that the same worker is started again. 0: it says so itself,
  // as the demo worker does, when it reports.
  uint64_t incarnation = 0;
  WallTime created{};
  bool running = false;
  std::string remark;  // What keeps it from its work though it runs, for people; mostly empty.
  // Meaningful where it is not running.
  struct Exit {
    int code = -1;   // -1: not by exit().
    int signal = 0;  // 0: none.
    bool out_of_memory = false;
    WallTime time{};
    std::string error;  // The runtime's own words, where it has any.
  };
  std::optional<Exit> exit;
};

struct RuntimeLogLine {
  std::optional<WallTime> time;
  bool is_stderr = false;
  std::string text;
};

// What a driver does that takes long, for people.
struct RuntimeNote {
  std::string service;
  std::string kind;  // As of events: `ImagePulling`; "": only how far it is.
  std::string text;
};

// Ends a running log stream when it is destroyed. May be destroyed on any thread but the driver's
// own callback.
class LogStream {
 public:
  virtual ~LogStream() = default;
};

// Runs workers. Every call returns at once; its answer comes by callback, exactly once, on a thread
// of the driver's own, within the driver's deadline (DEADLINE_EXCEEDED otherwise; UNAVAILABLE where
// the runtime cannot be reached). A call that failed may still have taken effect: the truth is
// List. Callbacks must not block. Destroying the driver waits for running calls; workers go on.
class RuntimeDriver {
 public:
  template <typename T>
  using Done = std::function<void(T)>;

  virtual ~RuntimeDriver() = default;

  virtual RuntimeKind kind() const = 0;
  // `docker`: engine version and address. For people.
  virtual std::string description() const = 0;

  // Makes the demo worker's image available, building it where its content changed. Build errors
  // are part of the message. Other drivers check that the program exists.
  virtual void Prepare(Done<absl::Status> done) = 0;

  // Idempotent: a second call with the same instance answers with the same worker.
  // ALREADY_EXISTS where the port or name is taken by a stranger; the message names it. An image
  // that is missing is pulled first, for which it waits as long as the pull makes progress.
  virtual void Start(const WorkerLaunch& launch, Done<absl::StatusOr<RuntimeWorker>> done) = 0;

  // A Start that still waits for its image is answered with CANCELLED soon; another is not touched.
  virtual void GiveUpStart(const std::string& instance) { (void)instance; }

  // The workload's stop signal, then SIGKILL after `grace`. OK once it does not run, also where it
  // did not before.
  virtual void Stop(const std::string& handle, std::chrono::milliseconds grace,
                    Done<absl::Status> done) = 0;

  // Forgets a worker and its files; kills one that still runs. OK where it was gone already.
  virtual void Remove(const std::string& handle, Done<absl::Status> done) = 0;

  // Every worker of this cluster that exists, running or not, whoever started it.
  virtual void List(Done<absl::StatusOr<std::vector<RuntimeWorker>>> done) = 0;

  // `changed` is called whenever List may have a new answer (an exit, a start, an engine that came
  // back); it may be called for nothing, and an event may be lost. At most one watcher.
  virtual void Watch(std::function<void()> changed) = 0;

  // `tell` is called with each note, on a driver thread; it must not block. At most one listener.
  virtual void Listen(const std::function<void(RuntimeNote)>& tell) { (void)tell; }

  // The last `tail` lines (-1: all that is kept), then, with `follow`, what is written from now on.
  // `line` is called in order; `end` once, after the last line. Both on a driver thread.
  virtual absl::StatusOr<std::unique_ptr<LogStream>> Logs(
      const std::string& handle, int tail, bool follow, std::function<void(RuntimeLogLine)> line,
      std::function<void(absl::Status)> end) = 0;
};

}  // namespace gocomet::controlplane
