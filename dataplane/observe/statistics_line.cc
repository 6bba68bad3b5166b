#include "dataplane/observe/statistics_line.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "dataplane/observe/rfc3339.h"

namespace gocomet::dataplane {
namespace {

using Json = nlohmann::ordered_json;

// To a tenth.
double Microseconds(std::chrono::nanoseconds time) {
  return std::round(static_cast<double>(time.count()) / 100) / 10;
}

Json ToJson(const DurationCounts& counts) {
  Json json = {{"count", counts.count()}, {"mean", Microseconds(counts.mean())}};
  const std::pair<const char*, double> quantiles[] = {
      {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
  for (const auto& [name, share] : quantiles) json[name] = Microseconds(counts.Quantile(share));
  return json;
}

}  // namespace

std::string StatisticsLine(const BalancerStatistics& statistics,
                           std::chrono::nanoseconds now_since_1970) {
  std::string time;
  AppendRfc3339(now_since_1970, time);
  Json own_answers = Json::object();
  for (const auto& [status, count] : statistics.own_answers) {
    own_answers[std::to_string(status)] = count;
  }
  Json json = {{"time", time},
               {"connections", statistics.connections},
               {"requests", statistics.requests},
               {"own_answers", own_answers},
               {"latency_us",
                {{"total", ToJson(statistics.latencies.total)},
                 {"worker", ToJson(statistics.latencies.worker)},
                 {"own", ToJson(statistics.latencies.own)}}}};
  if (const auto& lines = statistics.access_log) {
    json["access_log"] = {{"written", lines->written}, {"dropped", lines->dropped}};
  }
  return json.dump() + "\n";
}

}  // namespace gocomet::dataplane
