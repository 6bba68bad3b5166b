#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/unique_fd.h"
#include "controlplane/runtime/process_identity.h"

namespace gocomet::controlplane {

struct ProcessLaunch {
  std::string program;                 // Absolute path.
  std::vector<std::string> arguments;  // Without the program's own name.
  std::string working_directory;
  std::string stdout_file;  // Made (mode 0600) where missing, appended to where not.
  std::string stderr_file;
  std::optional<std::vector<std::string>> environment;  // `NAME=VALUE`; none: ours.
  // Of memory that only it can see, counted where it is asked for (RLIMIT_DATA); 0: no limit.
  uint64_t data_bytes_max = 0;
};

struct ProcessExit {
  // Of an adopted process that is not our child only the end is seen, not how it ended.
  bool known = false;
  int code = -1;   // -1: not by exit().
  int signal = 0;  // 0: none.
};

// Starts programs that outlive this one, and tells when they end.
//
// A program runs in its own session, with /dev/null as its input, default signal handling, and none
// of our other descriptors. It is not told of our end. What is left of its session when it ends is
// killed, as in a container.
//
// Thread safety: every method may be called from any thread, also from a callback; the destructor
// from any thread but the callbacks'. Callbacks come on one thread of the object's own, one at a
// time, and must not block.
class ChildProcesses {
 public:
  // Called exactly once for each process, unless the object is destroyed before. It may come before
  // the Start or Adopt that it belongs to has returned.
  using OnExit = std::function<void(const ProcessIdentity&, const ProcessExit&)>;

  static absl::StatusOr<std::unique_ptr<ChildProcesses>> Create();
  // Waits for a running callback. The processes go on.
  ~ChildProcesses();
  ChildProcesses(const ChildProcesses&) = delete;
  ChildProcesses& operator=(const ChildProcesses&) = delete;

  // Returns once the program runs. NOT_FOUND or PERMISSION_DENIED where it cannot be executed; any
  // error means that nothing runs and that `on_exit` is not called.
  absl::StatusOr<ProcessIdentity> Start(const ProcessLaunch& launch, OnExit on_exit);

  // Watches a process that an earlier program started. NOT_FOUND where it has ended, also where
  // another process has its number now. ALREADY_EXISTS where it is watched already.
  absl::Status Adopt(const ProcessIdentity& identity, OnExit on_exit);

  // Never reaches another process, whatever became of the number. NOT_FOUND where the process is
  // not watched: it has ended, or was neither started nor adopted here.
  absl::Status Signal(const ProcessIdentity& identity, int signal) const;

  bool Watches(const ProcessIdentity& identity) const;

 private:
  struct Watched {
    ProcessIdentity identity;
    UniqueFd pidfd;
    OnExit on_exit;
  };

  ChildProcesses(UniqueFd epoll, UniqueFd wake);

  absl::Status Watch(const ProcessIdentity& identity, UniqueFd pidfd, OnExit on_exit);
  // With the mutex held.
  std::map<uint64_t, Watched>::const_iterator Find(const ProcessIdentity& identity) const;
  void Run();
  void OnEnded(uint64_t key);

  const UniqueFd epoll_;
  const UniqueFd wake_;       // An eventfd; its first event ends the thread.
  mutable std::mutex mutex_;  // Guards what follows.
  uint64_t last_key_ = 0;
  std::map<uint64_t, Watched>
      watched_;         // By what epoll calls it: a number of a process may return.
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace gocomet::controlplane
