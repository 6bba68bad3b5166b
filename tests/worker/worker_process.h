#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/address.h"
#include "common/base/unique_fd.h"

namespace gocomet::worker {

// A directory under /tmp that goes away with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Whether `condition` becomes true within 10 s.
bool Eventually(const std::function<bool()>& condition);

// The real gocomet-worker, on 127.0.0.1 where the flags do not say otherwise. Killed when it goes
// out of scope.
class WorkerProcess {
 public:
  // Waits until it listens, or until it ended. With port 0 the kernel chooses one.
  explicit WorkerProcess(const std::vector<std::string>& flags, uint16_t port = 0);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Where it listens; only where it started.
  const Address& address() const { return address_; }
  bool started() const { return started_; }
  pid_t pid() const { return pid_; }

  void Signal(int signal);
  // Its exit status (128 + signal where one ended it); nothing where it still runs after 10 s.
  std::optional<int> ExitStatus();
  // What it wrote to stderr; complete once it has ended.
  std::string Errors();

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  bool started_ = false;
  std::optional<int> exit_status_;
  Address address_;
};

}  // namespace gocomet::worker
