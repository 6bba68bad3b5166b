#include "controlplane/statistics/durations.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kStep{1};

}  // namespace

bool Durations::Apply(const Source& source, const std::string& service, const SparseDurations& now,
                      SteadyTime time) {
  const auto [known, is_first] = newest_.try_emplace(source);
  const auto added = now.Since(known->second);
  if (!added) return false;
  known->second = now;
  if (added->count() == 0) return true;
  of_worker_[source.worker_id].Add(*added);
  // When that happened which is told for the first time, nobody knows.
  if (is_first) return true;
  std::deque<Step>& steps = recent_[service];
  while (!steps.empty() && steps.front().begin < time - kRecent) steps.pop_front();
  if (steps.empty() || time - steps.back().begin >= kStep) steps.push_back({time, {}});
  steps.back().durations.Add(*added);
  return true;
}

const SparseDurations* Durations::OfWorker(const std::string& worker_id) const {
  const auto found = of_worker_.find(worker_id);
  return found == of_worker_.end() ? nullptr : &found->second;
}

SparseDurations Durations::Recent(const std::string& service, SteadyTime time) const {
  SparseDurations sum;
  const auto found = recent_.find(service);
  if (found == recent_.end()) return sum;
  for (const Step& step : found->second) {
    if (step.begin >= time - kRecent) sum.Add(step.durations);
  }
  return sum;
}

}  // namespace gocomet::controlplane
