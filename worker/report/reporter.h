#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/address.h"
#include "worker/behaviour.h"
#include "worker/counters.h"
#include "worker/stats_desk.h"

namespace gocomet::worker {

// Who reports, and to whom.
struct ReporterOptions {
  Address control_plane;
  std::string token;
  std::string instance;
  std::string worker_id;
  std::string version;
};

// Reports the worker's counters to the control plane from threads of its own: each second where
// they changed, with each question, and at the end. The numbers are cumulative, so what is lost is
// made good by the next report. While the control plane is away it tries again for ever, every
// 100 ms to 1 s.
//
// The callbacks run on the reporter's threads; AskCluster and Finish are for any other thread.
class Reporter {
 public:
  struct Callbacks {
    std::function<void(const Settings&)> on_settings;
    std::function<void(ClusterNumbers)> on_cluster;
  };

  // `counters` must outlive it.
  Reporter(ReporterOptions options, const Counters& counters, Callbacks callbacks);
  // Ends at once; what is not acknowledged is left.
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Sends the current numbers with a question for the cluster's; on_cluster brings the answer.
  // False where the control plane is away or is behind with its acknowledgements.
  bool AskCluster();

  // Sends the last numbers and ends once they are acknowledged or `patience` has passed. Returns
  // whether they are. No callback runs afterwards.
  bool Finish(std::chrono::milliseconds patience);

 private:
  struct Channel;
  struct Stream;

  void Run();
  // True once the control plane is connected; false where the reporter was stopped.
  bool AwaitConnection();
  // One stream from its hello to its end. True where the control plane answered on it.
  bool RunStream();
  void WriteReports(Stream& stream);
  void ReadResponses(Stream& stream);
  void Stop();
  // Says a problem once, until another one or success follows.
  void Say(const std::string& news);

  // With mutex_ held.
  bool EverythingAcknowledged() const;
  bool MayWrite() const;

  const ReporterOptions options_;
  const Counters& counters_;
  const Callbacks callbacks_;
  const uint64_t incarnation_;
  const std::unique_ptr<Channel> channel_;
  std::string last_news_;  // Of Run's thread, or of the reader while it waits for that.

  std::mutex mutex_;
  std::condition_variable changed_;
  Stream* stream_ = nullptr;  // The open one.
  bool stopped_ = false;
  bool finishing_ = false;
  bool asked_ = false;         // A question waits to be sent.
  uint64_t sequence_ = 0;      // Of the newest report.
  uint64_t acknowledged_ = 0;  // Newest sequence that is durable.
  uint64_t stream_start_ = 0;  // sequence_ when the stream began.
  RequestCounts newest_sent_;

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace gocomet::worker
