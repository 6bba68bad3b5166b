#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/unique_fd.h"
#include "dataplane/observe/access_policy.h"
#include "dataplane/observe/access_record.h"
#include "dataplane/observe/record_ring.h"

namespace gocomet::dataplane {

struct AccessLogSettings {
  std::string path;  // `-` is the standard output; empty: no log.
  AccessPolicy policy;
  bool with_query = false;
};

// Writes one line of JSON for each exchange that it is told of, on a thread of its own. Whoever
// tells never waits, and is never told of trouble: lines that cannot be written as fast as they
// come, or not at all, are dropped, counted, and mentioned in a later line as
// `{"time":…,"dropped":n}`.
class AccessLog {
 public:
  // One thread's way to the log.
  class Lane {
   public:
    const AccessPolicy& policy() const { return policy_; }
    void Tell(const AccessRecord& record);

   private:
    friend class AccessLog;
    explicit Lane(AccessLog& log) : log_(log), policy_(log.settings_.policy), ring_(kRingBytes) {}

    AccessLog& log_;
    const AccessPolicy policy_;
    RecordRing ring_;
    std::atomic<uint64_t> dropped_{0};
  };

  // Called on the log's thread with what an operator should know, once for each outage.
  using Complain = std::function<void(const std::string&)>;

  // Opens the file, or makes it. Errors name the path.
  static absl::StatusOr<std::unique_ptr<AccessLog>> Open(AccessLogSettings settings,
                                                         Complain complain);
  // Writes what waits, for a second at most. Nobody may tell it anything any more.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Before Start; it lives as long as the log.
  Lane& AddLane();
  void Start();
  // Any thread. Goes on with the file that has the path now, after somebody has moved the old one.
  void Reopen();

  // Lines, so far. Any thread.
  uint64_t written() const { return written_.load(std::memory_order_relaxed); }
  uint64_t dropped() const;

  static constexpr size_t kRingBytes = size_t{1} << 20;

 private:
  AccessLog(AccessLogSettings settings, Complain complain);

  void Run();
  // Moves what waits into batch_, as far as there is room. True where more may wait.
  bool Collect();
  // Writes batch_, and counts what cannot be written.
  void WriteBatch();
  // How much of it was written before an error, the end or a reopening.
  size_t WriteAsFarAsItGoes();
  bool WaitUntilWritable();
  void Complained(int error);
  void OpenAgain();
  absl::StatusOr<UniqueFd> OpenFile() const;
  void Wake();
  bool Overdue();

  const AccessLogSettings settings_;
  const Complain complain_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  UniqueFd wake_fd_;
  std::atomic<bool> woken_{false};
  std::atomic<bool> reopen_{false};
  std::atomic<bool> ending_{false};
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> lost_{0};  // Taken out of a ring, and not written.

  // --- The log's thread's alone.
  UniqueFd file_;
  std::string batch_;
  uint64_t batch_records_ = 0;
  uint64_t batch_reports_ = 0;  // Dropped lines that the end of batch_ mentions.
  uint64_t dropped_reported_ = 0;
  bool mid_line_ = false;  // The file ends with half a line.
  bool failing_ = false;
  std::optional<std::chrono::steady_clock::time_point> give_up_;  // Once ending.

  std::thread thread_;
};

}  // namespace gocomet::dataplane
