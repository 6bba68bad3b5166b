#include "worker/report/convert.h"

#include <algorithm>

namespace gocomet::worker {
namespace {

std::chrono::microseconds FromProto(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsMax = std::chrono::seconds(kAverageDelayMax).count();
  const auto whole = std::chrono::seconds(std::clamp<int64_t>(duration.seconds(), 0, kSecondsMax));
  const auto rest = std::chrono::microseconds(duration.nanos() / 1000);
  return std::clamp<std::chrono::microseconds>(whole + rest, std::chrono::microseconds(0),
                                               kAverageDelayMax);
}

RequestCounts FromProto(const v1::RequestCounters& counters) {
  return {.successful = counters.successful(),
          .failed = counters.failed(),
          .duration_microseconds = counters.duration_microseconds()};
}

}  // namespace

Settings FromProto(const v1::DemoWorkerSpec& spec) {
  return {.average_delay = FromProto(spec.average_delay()),
          .failure_percent = std::min(spec.failure_percent(), 100U)};
}

std::vector<WorkerRow> FromProto(const v1::ClusterStatistics& statistics) {
  std::vector<WorkerRow> rows;
  rows.reserve(static_cast<size_t>(statistics.workers_size()));
  for (const auto& row : statistics.workers()) {
    rows.push_back({row.worker_id(), FromProto(row.counters())});
  }
  return rows;
}

void ToProto(const RequestCounts& counts, v1::RequestCounters& out) {
  out.set_successful(counts.successful);
  out.set_failed(counts.failed);
  out.set_duration_microseconds(counts.duration_microseconds);
}

}  // namespace gocomet::worker
