#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "controlplane/model/records.h"

namespace gocomet::controlplane {

// What every worker counted and what every balancer saw, by identity. Pure: no clock, thread or
// database. Counters are cumulative within an incarnation, so a report that is lost, repeated or
// overtaken changes nothing in the end. Confined to one thread.
class Ledger {
 public:
  // Why a report changed nothing.
  enum class Refusal : uint8_t {
    kNone,         // It did change something.
    kNotNewer,     // Its sequence, or all that it says, is known already.
    kBackwards,    // A counter is lower than before, within one incarnation.
    kImplausible,  // A counter is above kCounterMax, or the worker has no id.
  };

  // What all balancers together saw one worker answer.
  struct BalancedSums {
    uint64_t answered = 0;
    uint64_t by_status_class[5] = {};  // 1xx to 5xx.
    uint64_t connect_errors = 0;
    uint64_t resets = 0;
    uint64_t timeouts = 0;
    uint64_t retried = 0;
    uint64_t bytes_to_worker = 0;
    uint64_t bytes_from_worker = 0;
    bool operator==(const BalancedSums&) const = default;
  };

  // True where the row is new and is to be written to the store.
  struct Applied {
    Refusal refusal = Refusal::kNone;
    BalancedSums added = {};  // What was not counted before, of what a balancer saw.
    explicit operator bool() const { return refusal == Refusal::kNone; }
  };

  // One worker, over all its incarnations.
  struct WorkerRow {
    std::string worker_id;
    std::string worker_name;  // Empty where only balancers have seen it.
    std::string service;      // Likewise.
    RequestCounters counters;
    BalancedSums balanced;
    WallTime report_time{};  // The epoch where it never reported.
    bool retired = false;
    double average_response_time_ms() const { return AverageMilliseconds(counters); }
  };

  struct Query {
    std::string_view service;  // Only this service's; empty means all.
    // Whether the worker no longer exists; unset where nobody asks.
    std::function<bool(const std::string& worker_id)> is_retired;
    bool include_retired = true;
  };

  // A greater count is no honest one. Small enough for sums over many workers to stay exact in the
  // database's signed integers, and for each count to be exact as a JSON number.
  static constexpr uint64_t kCounterMax = uint64_t{1} << 53;

  Ledger() = default;
  // As a store read them; rows that Apply would refuse are left out.
  Ledger(const std::vector<WorkerTotals>& workers, const std::vector<BalancedTotals>& balanced);

  // Takes the newest report of one incarnation of a worker.
  Applied ApplyReport(const WorkerTotals& report);
  // Takes what one incarnation of a balancer has seen of one incarnation of a worker.
  Applied ApplyBalanced(const BalancedTotals& totals);

  // In the order of the workers' first reports; those that only balancers have seen come last.
  std::vector<WorkerRow> Rows(const Query& query) const;
  std::vector<WorkerRow> Rows() const { return Rows(Query{}); }
  // Over all workers there ever were; of one service, or of all where it is empty.
  RequestCounters Total(std::string_view service = {}) const;
  size_t worker_count() const { return workers_.size(); }

  // The true mean in milliseconds; 0 where there were no requests.
  static double AverageMilliseconds(const RequestCounters& counters);

 private:
  struct Incarnation {
    uint64_t number = 0;
    uint64_t sequence = 0;
    RequestCounters counters;
  };
  struct Entry {
    WorkerRow row;  // Kept up to date; `retired` is filled in by queries.
    std::vector<Incarnation> incarnations;
  };
  // Balancer, its incarnation, worker, its incarnation.
  using BalancedKey = std::tuple<std::string, uint64_t, std::string, uint64_t>;

  Entry& EntryOf(const std::string& worker_id);

  std::vector<Entry> workers_;                               // In order of first sight.
  std::unordered_map<std::string, size_t> index_;            // Worker id to its place in workers_.
  std::vector<size_t> reported_;                             // Places in order of first report.
  absl::flat_hash_map<BalancedKey, BalancedSums> balanced_;  // The newest of each.
};

}  // namespace gocomet::controlplane
