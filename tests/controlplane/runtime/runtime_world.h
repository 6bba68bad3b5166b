#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/unique_fd.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

inline constexpr std::chrono::seconds kPatience{30};

// Waits for the one answer of a driver's call.
template <typename T>
T Await(const std::function<void(RuntimeDriver::Done<T>)>& call) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> answer = promise->get_future();
  call([promise](T value) { promise->set_value(std::move(value)); });
  if (answer.wait_for(kPatience) != std::future_status::ready) {
    return absl::DeadlineExceededError("the driver has not answered");
  }
  return answer.get();
}

absl::Status Prepare(RuntimeDriver& driver);
absl::StatusOr<RuntimeWorker> Start(RuntimeDriver& driver, const WorkerLaunch& launch);
absl::Status Stop(RuntimeDriver& driver, const std::string& handle,
                  std::chrono::milliseconds grace = std::chrono::seconds(5));
absl::Status Remove(RuntimeDriver& driver, const std::string& handle);
absl::StatusOr<std::vector<RuntimeWorker>> List(RuntimeDriver& driver);
// The listed worker of that instance, a default one where there is none.
RuntimeWorker Listed(RuntimeDriver& driver, const std::string& instance);
// All lines of a stream without `follow`, or the error in the only line.
std::vector<std::string> LogLines(RuntimeDriver& driver, const std::string& handle, int tail);

// Whether it came true before patience ended.
bool Eventually(const std::function<bool()>& condition);

// A directory with a short path, since sockets live in it; deleted at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }
  // Writes a file into it and answers its path.
  std::string Write(const std::string& name, const std::string& content, mode_t mode = 0600) const;

 private:
  std::string path_;
};

// A Unix socket that listens.
UniqueFd ListenUnix(const std::string& path);

// A port that nobody listens on; another one each time.
uint16_t FreePort();

// A launch with a fresh instance on a free port.
WorkerLaunch NewLaunch(uint32_t ordinal = 0);

// The status line of GET `path` from `IP:PORT` or `unix:/PATH`; "" where nothing answers.
std::string StatusLineOf(const std::string& address, const std::string& path);

bool ProcessExists(int64_t pid);

}  // namespace gocomet::controlplane
