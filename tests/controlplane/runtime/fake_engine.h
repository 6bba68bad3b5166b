#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/unique_fd.h"
#include "runtime_world.h"

namespace gocomet::controlplane {

struct TestCertificates;
class FakeConnection;

// A Docker engine that answers what a test wants, faults included, on a Unix socket, on TCP, or on
// TCP with TLS. It answers GET /version by itself.
class FakeEngine {
 public:
  enum class Transport { kUnix, kTcp };

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
    enum class Fault {
      kNone,
      kHang,                // Nothing is said, and the connection stays.
      kCut,                 // The body ends ten bytes early.
      kCutChunk,            // The same within a chunked body.
      kLost,                // The connection is closed without a word.
      kStreamUntilRelease,  // After the body the connection stays until Release.
    } fault = Fault::kNone;
    std::chrono::milliseconds delay{0};  // Before it is sent.
    // With kStreamUntilRelease: what there is to send beyond the body by now, again and again.
    std::function<std::string()> more;
  };
  using Handler = std::function<Answer(const Request&)>;

  explicit FakeEngine(Handler handler, Transport transport = Transport::kUnix);
  // Over TLS, for clients with a certificate of the same authority alone.
  FakeEngine(Handler handler, const TestCertificates& certificates);
  ~FakeEngine();
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  // As DOCKER_HOST takes it.
  std::string host() const;
  std::vector<Request> requests() const;
  size_t CountOf(const std::string& method, const std::string& target_begin) const;
  // Connections that are served now.
  int connections() const { return open_; }
  // Before the first call: what GET /version answers.
  void AnswerVersion(std::string body) { version_body_ = std::move(body); }
  // Ends the streams that wait, and every one that comes.
  void Release() { released_ = true; }

  // Ends all connections and takes no new ones, as an engine that is stopped; its socket is gone.
  void GoDown();
  void ComeUp();
  // Ends the streams that are open now.
  void CutStreams() { ++cuts_; }

 private:
  void Accept();
  void Serve(FakeConnection& connection);
  Answer AnswerTo(const Request& request);
  bool ReadRequest(FakeConnection& connection, Request& request) const;
  void WaitWhile(FakeConnection& connection, const std::function<bool()>& waits) const;
  bool ends() const { return ending_ || down_; }

  TemporaryDirectory directory_;
  const std::string socket_;  // Empty over TCP.
  const uint16_t port_;       // 0 over a Unix socket.
  void* const tls_;           // An SSL_CTX, or null.
  const Handler handler_;
  std::string version_body_;
  std::atomic<bool> ending_{false};
  std::atomic<bool> down_{false};
  std::atomic<bool> released_{false};
  std::atomic<int> cuts_{0};
  std::atomic<int> open_{0};
  mutable std::mutex mutex_;  // Guards what follows.
  std::vector<Request> requests_;
  std::vector<std::thread> connections_;
  UniqueFd listener_;
  std::thread acceptor_;
};

}  // namespace gocomet::controlplane
