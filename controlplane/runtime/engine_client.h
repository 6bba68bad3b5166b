#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "controlplane/runtime/docker_messages.h"

namespace gocomet::controlplane {

// Where a Docker engine listens.
struct EngineEndpoint {
  std::string unix_path;  // Empty for TCP.
  std::string host_port;  // Empty for a Unix socket.

  bool is_local() const { return !unix_path.empty(); }
  // As DOCKER_HOST takes it.
  std::string ToString() const;
};

// `unix:///path` or `tcp://host:port`; INVALID_ARGUMENT for others.
absl::StatusOr<EngineEndpoint> ParseEngineEndpoint(std::string_view docker_host);
// The same from what is configured: empty stands for the environment's DOCKER_HOST, else for
// unix:///var/run/docker.sock.
absl::StatusOr<EngineEndpoint> ChooseEngineEndpoint(const std::string& docker_host);

struct EngineAnswer {
  int status = 0;
  std::string body;
  bool ok() const { return status >= 200 && status < 300; }
};

// What went wrong below HTTP, in words that say what to do. `curl_code` is a CURLcode.
absl::Status TransportError(const EngineEndpoint& endpoint, int curl_code, long os_error);

// Calls a Docker engine's API and waits for the answer. Any thread, several at once.
class EngineClient {
 public:
  static constexpr size_t kAnswerBytesMax = 64 << 20;

  // `patience`: how long a call may take that says nothing else.
  EngineClient(EngineEndpoint endpoint, std::chrono::milliseconds patience);

  const EngineEndpoint& endpoint() const { return endpoint_; }

  // `target` is a path with its query, below the version. The first call asks for the version.
  // UNAVAILABLE where the engine cannot be reached, DEADLINE_EXCEEDED where it does not answer in
  // time; any HTTP answer is an answer.
  absl::StatusOr<EngineAnswer> Get(const std::string& target) const {
    return Call("GET", target, "", "", patience_);
  }
  absl::StatusOr<EngineAnswer> Post(const std::string& target, std::string_view json = "") const {
    return Call("POST", target, json, "application/json", patience_);
  }
  absl::StatusOr<EngineAnswer> Delete(const std::string& target) const {
    return Call("DELETE", target, "", "", patience_);
  }
  absl::StatusOr<EngineAnswer> Call(const std::string& method, const std::string& target,
                                    std::string_view body, const std::string& content_type,
                                    std::chrono::milliseconds patience) const;

  // `target` below the version that is spoken, such as `/v1.41/events`.
  absl::StatusOr<std::string> Versioned(const std::string& target) const;

  // Asks the engine what it is. Its name, version and address, for people.
  absl::StatusOr<std::string> Describe() const;

  // The engine was away: another version may be back.
  void ForgetVersion() const;

 private:
  absl::StatusOr<EngineVersion> AskVersion() const;
  absl::StatusOr<EngineAnswer> Exchange(const std::string& method, const std::string& path,
                                        std::string_view body, const std::string& content_type,
                                        std::chrono::milliseconds patience) const;

  const EngineEndpoint endpoint_;
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;  // Guards version_.
  mutable std::string version_;
};

}  // namespace gocomet::controlplane
