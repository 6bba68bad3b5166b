#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/runtime/docker_messages.h"
#include "controlplane/runtime/engine_endpoint.h"

namespace gocomet::controlplane {

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
  std::chrono::milliseconds patience() const { return patience_; }

  // `target` is a path with its query, below the version. The first call asks for the version.
  // UNAVAILABLE where the engine cannot be reached, DEADLINE_EXCEEDED where it has not answered
  // within `patience` (which includes the question for the version); any HTTP answer is an answer.
  absl::StatusOr<EngineAnswer> Call(const std::string& method, const std::string& target,
                                    std::string_view body, const std::string& content_type,
                                    std::chrono::milliseconds patience) const;

  // `target` below the version that is spoken, such as `/v1.41/events`. Errors as those of Call.
  absl::StatusOr<std::string> Versioned(const std::string& target,
                                        std::chrono::milliseconds patience) const;

  // Asks the engine what it is. Its name, version and address, for people. NOT_FOUND where there is
  // no engine's socket.
  absl::StatusOr<std::string> Describe() const;

  // The engine was away: another version may be back.
  void ForgetVersion() const;

 private:
  absl::StatusOr<EngineVersion> AskVersion(std::chrono::milliseconds patience) const;
  absl::StatusOr<EngineAnswer> Exchange(const std::string& method, const std::string& path,
                                        std::string_view body, const std::string& content_type,
                                        std::chrono::milliseconds patience) const;

  const EngineEndpoint endpoint_;
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;  // Guards what follows.
  mutable std::condition_variable answered_;
  mutable bool asking_ = false;
  mutable uint64_t answers_ = 0;
  mutable absl::StatusOr<std::string> version_;  // The last answer.
  mutable bool known_ = false;                   // It is good and still holds.
};

// The calls of one task, which all together have to end in time. One thread.
class EngineCalls {
 public:
  EngineCalls(const EngineClient& engine, SteadyTime give_up_at)
      : engine_(engine), give_up_at_(give_up_at) {}

  absl::StatusOr<EngineAnswer> Get(const std::string& target) const {
    return Call("GET", target, "", "");
  }
  absl::StatusOr<EngineAnswer> Post(const std::string& target, std::string_view json = "") const {
    return Call("POST", target, json, "application/json");
  }
  absl::StatusOr<EngineAnswer> Delete(const std::string& target) const {
    return Call("DELETE", target, "", "");
  }
  SteadyTime give_up_at() const { return give_up_at_; }

 private:
  absl::StatusOr<EngineAnswer> Call(const std::string& method, const std::string& target,
                                    std::string_view body, const std::string& content_type) const;

  const EngineClient& engine_;
  const SteadyTime give_up_at_;
};

}  // namespace gocomet::controlplane
