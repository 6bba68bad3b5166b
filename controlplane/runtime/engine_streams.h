#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <absl/status/status.h>

#include "controlplane/runtime/engine_client.h"

namespace gocomet::controlplane {

// Reads answers of the engine that have no end of their own, such as events and logs. One thread
// serves all of them; it calls the handlers, which must not block. Every method may be called from
// any thread; the destructor from any but that one.
class EngineStreams {
 public:
  struct Handlers {
    std::function<bool()> wanted;                // Asked every second; after a `false` it is ended.
    std::function<void()> opened;                // The engine has said 200.
    std::function<void(std::string_view)> data;  // In order, after that.
    // Once, last. OK: the engine ended it. CANCELLED: it was not wanted any more.
    std::function<void(absl::Status)> ended;
  };

  static constexpr std::chrono::milliseconds kOpenPatience{10'000};

  struct Request {
    std::string path;  // With the version.
    std::string method = "GET";
    std::string what = "open a stream";  // For errors: cannot …
    std::chrono::milliseconds open_patience = kOpenPatience;
  };

  static constexpr size_t kStreamsMax = 64;

  explicit EngineStreams(EngineEndpoint endpoint);
  ~EngineStreams();
  EngineStreams(const EngineStreams&) = delete;
  EngineStreams& operator=(const EngineStreams&) = delete;

  // RESOURCE_EXHAUSTED, by `ended`, where too many are open.
  void Open(Request request, Handlers handlers);

  // Ends all with CANCELLED, and waits for that. What is opened afterwards is forgotten.
  void End();

 private:
  struct Stream;
  struct Opening {
    Request request;
    Handlers handlers;
  };

  void Run();
  bool TakeOrders();
  void Add(Opening opening);
  void EndFinished();
  void EndOverdueAndUnwanted();
  void EndOne(uint64_t id, const absl::Status& status);

  const EngineEndpoint endpoint_;
  void* const multi_;     // A CURLM; touched by the thread alone, but for waking it.
  uint64_t last_id_ = 0;  // The thread's own, as what follows.
  std::map<uint64_t, std::unique_ptr<Stream>> streams_;

  std::mutex mutex_;  // Guards what follows.
  std::vector<Opening> to_open_;
  bool ending_ = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace gocomet::controlplane
