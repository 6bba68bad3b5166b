#include <string>
#include <vector>

#include "common/base/text.h"
#include "ctl/views/tables.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

// A row's numbers before they are text, so that rows can be summed.
struct Sum {
  v1::RequestCounters reported;
  v1::BalancedCounters balanced;
  v1::DurationSummary durations;  // Of one worker, or of all; other sums have none.

  void Add(const v1::WorkerStatistics& worker) {
    const v1::RequestCounters& r = worker.reported();
    reported.set_successful(reported.successful() + r.successful());
    reported.set_failed(reported.failed() + r.failed());
    reported.set_duration_microseconds(reported.duration_microseconds() +
                                       r.duration_microseconds());
    const v1::BalancedCounters& b = worker.balanced();
    balanced.set_answered(balanced.answered() + b.answered());
    balanced.set_retried(balanced.retried() + b.retried());
    balanced.set_connect_errors(balanced.connect_errors() + b.connect_errors());
    balanced.set_resets(balanced.resets() + b.resets());
    balanced.set_timeouts(balanced.timeouts() + b.timeouts());
    balanced.set_in_flight(balanced.in_flight() + b.in_flight());
  }
};

Row RowOf(const std::string& name, const std::string& id, const Sum& sum,
          const std::string& reported, bool wide) {
  const v1::RequestCounters& r = sum.reported;
  const uint64_t requests = r.successful() + r.failed();
  const double mean_ms = requests == 0 ? 0
                                       : static_cast<double>(r.duration_microseconds()) / 1000.0 /
                                             static_cast<double>(requests);
  Row row = {name,
             id,
             Cat(requests),
             Cat(r.successful()),
             Cat(r.failed()),
             Percent(r.failed(), requests),
             Milliseconds(mean_ms),
             sum.durations.count() == 0 ? "" : Milliseconds(sum.durations.p50_ms()),
             sum.durations.count() == 0 ? "" : Milliseconds(sum.durations.p99_ms()),
             reported};
  if (!wide) return row;
  const v1::BalancedCounters& b = sum.balanced;
  for (const uint64_t number :
       {b.in_flight(), b.answered(), b.retried(), b.connect_errors(), b.resets(), b.timeouts()}) {
    row.emplace_back(std::to_string(number));
  }
  return row;
}

}  // namespace

Table StatisticsTable(const v1::Statistics& statistics, WallTime now, bool show_retired,
                      bool wide) {
  std::vector<std::string> headers = {"NAME",    "ID",  "REQUESTS", "OK",  "FAILED",
                                      "FAILED%", "AVG", "P50",      "P99", "REPORTED"};
  if (wide) {
    for (const char* header :
         {"IN-FLIGHT", "BALANCED", "RETRIED", "CONNECT-ERRORS", "RESETS", "TIMEOUTS"}) {
      headers.emplace_back(header);
    }
  }
  Table table(headers);
  Sum retired;
  Sum total;
  uint64_t retired_count = 0;
  for (const v1::WorkerStatistics& worker : statistics.workers()) {
    total.Add(worker);
    if (worker.retired() && !show_retired) {
      retired.Add(worker);
      ++retired_count;
      continue;
    }
    Sum own;
    own.Add(worker);
    own.durations = worker.durations();
    const std::string age = Age(worker.report_time(), now);
    const std::string reported = worker.retired() ? "retired" : age.empty() ? "" : Cat(age, " ago");
    table.Add(RowOf(worker.worker_name(), worker.worker_id(), own, reported, wide));
  }
  if (retired_count > 0) {
    table.Add(RowOf(Cat("(retired: ", retired_count, ")"), "", retired, "", wide));
  }
  // The control plane's own total, which counts every worker there ever was.
  total.reported = statistics.total();
  total.durations = statistics.durations();
  table.Add(RowOf("TOTAL", "", total, "", wide));
  return table;
}

}  // namespace gocomet::ctl
