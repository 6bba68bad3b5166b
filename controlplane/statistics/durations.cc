#include "controlplane/statistics/durations.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kStep{1};

}  // namespace

void Durations::Introduce(const Source& source, const std::string& service,
                          const SparseDurations& first) {
  if (!sources_.try_emplace(source, Told{service, first}).second) return;
  of_worker_[source.worker_id].Add(first);
}

bool Durations::Apply(const Source& source, const SparseDurations& now, SteadyTime time) {
  const auto known = sources_.find(source);
  if (known == sources_.end()) return false;
  Told& told = known->second;
  const auto added = now.Since(told.newest);
  if (!added) return false;
  if (added->count() == 0) return true;
  told.newest = now;
  of_worker_[source.worker_id].Add(*added);
  std::deque<Step>& steps = recent_[told.service];
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
