#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gocomet::testing {

// Clients that ask without pause until Stop, each on a keep-alive connection, where wanted with
// pauses of up to 20 ms, or on a new connection for each request. None tries a request again. Every
// answer counts as it was; a request without a whole answer is a failure, with its cause and time.
class Load {
 public:
  struct Result {
    uint64_t successful = 0;  // 200
    uint64_t failed = 0;      // 500, the demo worker's own failures
    std::vector<std::string> unexpected;
    uint64_t answered() const { return successful + failed; }
  };

  enum class Connections { kKeepAlive, kKeepAliveWithPauses, kNew };

  Load(std::vector<uint16_t> ports, std::string path, int clients,
       Connections connections = Connections::kKeepAlive);
  ~Load() { Stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  uint64_t answered() const { return answered_.load(); }
  // Ends the clients, each after its present request.
  Result Stop();

 private:
  void RunClient(uint16_t port);

  const std::string path_;
  const Connections connections_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> answered_{0};
  std::mutex mutex_;  // Guards result_.
  Result result_;
  std::vector<std::thread> clients_;
};

}  // namespace gocomet::testing
