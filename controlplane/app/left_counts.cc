#include "controlplane/app/left_counts.h"

#include <utility>

#include "common/counters/balancer_counters.h"
#include "common/counters/counter_file.h"

namespace gocomet::controlplane {

absl::StatusOr<std::vector<BalancedTotals>> ReadLeftCounts(const std::string& balancer,
                                                           const std::string& path) {
  const auto file = CounterFile::OpenForReading(path);
  if (absl::IsNotFound(file.status())) return std::vector<BalancedTotals>();
  if (!file.ok()) return file.status();
  std::vector<BalancedTotals> all;
  for (const std::string& name : (*file)->Names<EndpointCounters>()) {
    auto identity = EndpointCounters::IdentityIn(name);
    if (!identity) continue;
    const auto counters = (*file)->Find<EndpointCounters>(name);
    BalancedTotals totals;
    totals.balancer = balancer;
    totals.balancer_incarnation = (*file)->incarnation();
    totals.worker_id = std::move(identity->worker_id);
    totals.worker_incarnation = identity->incarnation;
    totals.answered = counters->answered.load();
    for (size_t i = 0; i < std::size(totals.by_status_class); ++i) {
      totals.by_status_class[i] = counters->by_status_class[i].load();
    }
    totals.connect_errors = counters->connect_errors.load();
    totals.resets = counters->resets.load();
    totals.timeouts = counters->timeouts.load();
    totals.retried = counters->retried.load();
    totals.bytes_to_worker = counters->bytes_to_worker.load();
    totals.bytes_from_worker = counters->bytes_from_worker.load();
    all.push_back(std::move(totals));
  }
  return all;
}

}  // namespace gocomet::controlplane
