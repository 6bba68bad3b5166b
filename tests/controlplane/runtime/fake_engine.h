#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"
#include "runtime_world.h"

namespace gocomet::controlplane {

// A Docker engine on a Unix socket that answers what a test wants, faults included. It answers
// GET /version by itself.
class FakeEngine {
 public:
  struct Request {
    std::string method;
    std::string target;  // Without the version.
    std::string version;
    std::string body;
    bool Is(const std::string& wanted_method, const std::string& target_begin) const {
      return method == wanted_method && target.rfind(target_begin, 0) == 0;
    }
  };
  struct Answer {
    int status = 200;
    std::string body;
    enum class Fault { kNone, kHang, kCut, kStreamUntilRelease } fault = Fault::kNone;
  };
  using Handler = std::function<Answer(const Request&)>;

  explicit FakeEngine(Handler handler);
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  // As DOCKER_HOST takes it.
  std::string host() const { return "unix://" + socket_; }
  std::vector<Request> requests() const;
  size_t CountOf(const std::string& method, const std::string& target_begin) const;
  // Connections that are served now.
  int connections() const { return open_; }
  // Before the first call: what GET /version answers.
  void AnswerVersion(std::string body) { version_body_ = std::move(body); }
  // Ends the streams that wait, and every one that comes.
  void Release() { released_ = true; }

 private:
  void Accept();
  void Serve(const UniqueFd& connection);
  bool ReadRequest(int fd, Request& request) const;
  void WaitWhile(int fd, const std::function<bool()>& waits) const;

  TemporaryDirectory directory_;
  const std::string socket_;
  const Handler handler_;
  std::string version_body_;
  std::atomic<bool> ending_{false};
  std::atomic<bool> released_{false};
  std::atomic<int> open_{0};
  mutable std::mutex mutex_;  // Guards what follows.
  std::vector<Request> requests_;
  std::vector<std::thread> connections_;
  UniqueFd listener_;
  std::thread acceptor_;
};

}  // namespace gocomet::controlplane
