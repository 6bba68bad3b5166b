#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controlplane/runtime/log_subscription.h"
#include "controlplane/runtime/log_tail.h"
#include "controlplane/runtime/task_queue.h"

namespace gocomet::controlplane {

// Names of the log files in a worker's directory.
inline constexpr char kStdoutFile[] = "stdout.log";
inline constexpr char kStderrFile[] = "stderr.log";

// Follows the log files of worker processes and keeps them short. Everything runs on the one thread
// of `queue`; what is followed is read every 200 ms.
class ProcessLogs {
 public:
  struct Request {
    std::string handle;
    std::string directory;
    int tail = -1;  // As in RuntimeDriver::Logs.
    bool follow = false;
    std::shared_ptr<LogSubscription> subscription;
  };

  // `is_running(handle)`: whether more may come.
  ProcessLogs(TaskQueue& queue, std::function<bool(const std::string&)> is_running);

  // As the files hold no times, what was there before comes file by file, standard error last;
  // where there are more than `tail` lines, those of standard error stay.
  void Add(const Request& request);

  // Cuts both files of a worker where they have grown too long.
  void KeepShort(const std::string& handle, const std::string& directory);

 private:
  struct Followed {
    Request request;
    LogTail output;
    LogTail error;
  };

  static absl::StatusOr<Followed> Open(const Request& request);
  void Poll();
  // False at its end.
  bool Serve(Followed& log, bool* more);
  void CutFile(const std::string& handle, const std::string& path, LogTail Followed::*tail);

  TaskQueue& queue_;
  const std::function<bool(const std::string&)> is_running_;
  std::vector<Followed> followed_;
  bool polls_ = false;
};

}  // namespace gocomet::controlplane
