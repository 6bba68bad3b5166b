#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "dataplane/app/director.h"
#include "gocomet/v1/sync.pb.h"

namespace gocomet::dataplane {

struct AgentOptions {
  std::string name;           // `balancer-0`
  std::string address;        // That the balancer listens on.
  std::string control_plane;  // `unix:/PATH`
  std::string token;
  std::string snapshot_file;  // Where the last snapshot is kept for the next start.
  uint64_t incarnation = 0;   // Of the counters.
};

// The balancer's end of the stream to the control plane: the only gRPC in the data plane. It takes
// snapshots, acknowledges each once every thread routes by it, and reports what was counted. Where
// the stream breaks it connects again, for ever; meanwhile the last snapshot stands.
class Agent {
 public:
  Agent(AgentOptions options, Director& director, EventLoop& loop);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Uses the snapshot of an earlier life, where there is one. False where there is none that can be
  // used.
  bool UseKeptSnapshot();
  void Start();
  // Any thread. A report leaves at once.
  void ReportSoon();
  // Main loop's thread: sends the last report and waits, for at most two seconds, until it is
  // acknowledged.
  void Finish();

 private:
  class Stream;

  void Run();
  // True where it is to stop.
  bool WaitFor(std::chrono::milliseconds time);
  v1::BalancerReport NextReport();
  void OnSnapshot(const v1::Snapshot& snapshot, const std::shared_ptr<Stream>& stream);

  const AgentOptions options_;
  Director& director_;
  EventLoop& loop_;
  // Main loop's thread only.
  uint64_t sequence_ = 0;
  std::string last_report_;  // Without its sequence: nothing is sent where nothing changed.
  const Stream* last_stream_ = nullptr;

  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::shared_ptr<Stream> stream_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace gocomet::dataplane
