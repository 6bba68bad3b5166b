#include "worker/stats_json.h"

#include <nlohmann/json.hpp>

namespace gocomet::worker {
namespace {

using Json = nlohmann::ordered_json;

Json AverageMilliseconds(const RequestCounts& counts) {
  const uint64_t requests = counts.total();
  if (requests == 0) return 0;
  const uint64_t sum = counts.duration_microseconds;
  const uint64_t mean = sum / requests + (sum % requests >= requests - sum % requests ? 1 : 0);
  if (mean % 1000 == 0) return mean / 1000;
  return static_cast<double>(mean) / 1000.0;
}

template <typename Value>
Json Column(const RequestCounts& total, std::span<const WorkerRow> rows, Value value) {
  Json column = Json::array({Json::object({{"total", value(total)}})});
  for (const WorkerRow& row : rows) {
    Json entry = Json::object();
    entry[row.worker_id] = value(row.counts);
    column.push_back(std::move(entry));
  }
  return column;
}

}  // namespace

std::string StatsJson(std::span<const WorkerRow> rows) {
  RequestCounts total;
  for (const WorkerRow& row : rows) total += row.counts;

  Json stats = Json::object();
  stats["SuccessfulRequests"] =
      Column(total, rows, [](const RequestCounts& counts) -> Json { return counts.successful; });
  stats["FailedRequests"] =
      Column(total, rows, [](const RequestCounts& counts) -> Json { return counts.failed; });
  stats["TotalRequests"] =
      Column(total, rows, [](const RequestCounts& counts) -> Json { return counts.total(); });
  stats["AverageResponseTime"] = Column(total, rows, AverageMilliseconds);
  // Ids come from outside; a byte that is not UTF-8 is replaced rather than refused.
  return stats.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gocomet::worker
