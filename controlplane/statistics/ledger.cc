#include "controlplane/statistics/ledger.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <type_traits>
#include <utility>

namespace gocomet::controlplane {
namespace {

using Sums = Ledger::BalancedSums;

constexpr std::array kCounterFields = {&RequestCounters::successful, &RequestCounters::failed,
                                       &RequestCounters::duration_microseconds};
constexpr std::array kSumFields = {
    &Sums::answered, &Sums::connect_errors,  &Sums::resets,           &Sums::timeouts,
    &Sums::retried,  &Sums::bytes_to_worker, &Sums::bytes_from_worker};

// Calls visit(a's field, b's field) for each counter of two values of the same kind.
template <typename A, typename Visit>
requires std::same_as<std::remove_const_t<A>, RequestCounters>
void ForEachCounter(A& a, const RequestCounters& b, const Visit& visit) {
  for (const auto field : kCounterFields) visit(a.*field, b.*field);
}

template <typename A, typename Visit>
requires std::same_as<std::remove_const_t<A>, Sums>
void ForEachCounter(A& a, const Sums& b, const Visit& visit) {
  for (const auto field : kSumFields) visit(a.*field, b.*field);
  for (size_t i = 0; i < std::size(b.by_status_class); ++i) {
    visit(a.by_status_class[i], b.by_status_class[i]);
  }
}

template <typename Counters>
void Add(Counters& to, const Counters& what) {
  ForEachCounter(to, what, [](uint64_t& sum, uint64_t value) { sum += value; });
}

// Moves a sum from the old value of one of its parts to the new one.
template <typename Counters>
void Replace(Counters& sum, const Counters& old_part, const Counters& new_part) {
  Add(sum, new_part);
  ForEachCounter(sum, old_part, [](uint64_t& total, uint64_t value) { total -= value; });
}

template <typename Counters>
Ledger::Refusal Judge(const Counters& known, const Counters& next) {
  Ledger::Refusal refusal = Ledger::Refusal::kNone;
  ForEachCounter(next, known, [&refusal](uint64_t now, uint64_t before) {
    if (now > Ledger::kCounterMax) {
      refusal = Ledger::Refusal::kImplausible;
    } else if (now < before && refusal == Ledger::Refusal::kNone) {
      refusal = Ledger::Refusal::kBackwards;
    }
  });
  return refusal;
}

Sums SumsOf(const BalancedTotals& totals) {
  Sums sums;
  sums.answered = totals.answered;
  std::copy(std::begin(totals.by_status_class), std::end(totals.by_status_class),
            std::begin(sums.by_status_class));
  sums.connect_errors = totals.connect_errors;
  sums.resets = totals.resets;
  sums.timeouts = totals.timeouts;
  sums.retried = totals.retried;
  sums.bytes_to_worker = totals.bytes_to_worker;
  sums.bytes_from_worker = totals.bytes_from_worker;
  return sums;
}

}  // namespace

Ledger::Ledger(const std::vector<WorkerTotals>& workers,
               const std::vector<BalancedTotals>& balanced) {
  for (const WorkerTotals& totals : workers) ApplyReport(totals);
  for (const BalancedTotals& totals : balanced) ApplyBalanced(totals);
}

Ledger::Entry& Ledger::EntryOf(const std::string& worker_id) {
  const auto [found, is_new] = index_.try_emplace(worker_id, workers_.size());
  if (is_new) workers_.emplace_back().row.worker_id = worker_id;
  return workers_[found->second];
}

Ledger::Applied Ledger::ApplyReport(const WorkerTotals& report) {
  const auto known_worker = index_.find(report.worker_id);
  Incarnation* known = nullptr;
  if (known_worker != index_.end()) {
    auto& incarnations = workers_[known_worker->second].incarnations;
    // The newest incarnation is the one that reports.
    const auto found = std::find_if(incarnations.rbegin(), incarnations.rend(),
                                    [&](const auto& i) { return i.number == report.incarnation; });
    if (found != incarnations.rend()) known = &*found;
  }
  if (report.worker_id.empty()) return {Refusal::kImplausible};
  if (known != nullptr && report.sequence <= known->sequence) return {Refusal::kNotNewer};
  const RequestCounters before = known != nullptr ? known->counters : RequestCounters{};
  if (const Refusal refusal = Judge(before, report.counters); refusal != Refusal::kNone) {
    return {refusal};
  }

  Entry& entry = EntryOf(report.worker_id);
  if (entry.incarnations.empty()) reported_.push_back(index_.at(report.worker_id));
  if (known == nullptr) known = &entry.incarnations.emplace_back(Incarnation{report.incarnation});
  known->sequence = report.sequence;
  known->counters = report.counters;
  Replace(entry.row.counters, before, report.counters);
  if (!report.worker_name.empty()) entry.row.worker_name = report.worker_name;
  if (!report.service.empty()) entry.row.service = report.service;
  entry.row.report_time = std::max(entry.row.report_time, report.report_time);
  return {};
}

Ledger::Applied Ledger::ApplyBalanced(const BalancedTotals& totals) {
  if (totals.worker_id.empty()) return {Refusal::kImplausible};
  BalancedKey key(totals.balancer, totals.balancer_incarnation, totals.worker_id,
                  totals.worker_incarnation);
  const auto found = balanced_.find(key);
  const Sums before = found != balanced_.end() ? found->second : Sums{};
  const Sums now = SumsOf(totals);
  if (const Refusal refusal = Judge(before, now); refusal != Refusal::kNone) return {refusal};
  if (found != balanced_.end() && now == before) return {Refusal::kNotNewer};

  Replace(EntryOf(totals.worker_id).row.balanced, before, now);
  balanced_.insert_or_assign(std::move(key), now);
  Applied applied;
  Replace(applied.added, before, now);
  return applied;
}

std::vector<Ledger::WorkerRow> Ledger::Rows(const Query& query) const {
  std::vector<WorkerRow> rows;
  rows.reserve(workers_.size());
  const auto add = [&](const Entry& entry) {
    if (!query.service.empty() && entry.row.service != query.service) return;
    const bool retired = query.is_retired && query.is_retired(entry.row.worker_id);
    if (retired && !query.include_retired) return;
    rows.push_back(entry.row);
    rows.back().retired = retired;
  };
  for (const size_t place : reported_) add(workers_[place]);
  for (const Entry& entry : workers_) {
    if (entry.incarnations.empty()) add(entry);
  }
  return rows;
}

RequestCounters Ledger::Total(std::string_view service) const {
  RequestCounters total;
  for (const Entry& entry : workers_) {
    if (service.empty() || entry.row.service == service) Add(total, entry.row.counters);
  }
  return total;
}

double Ledger::AverageMilliseconds(const RequestCounters& counters) {
  if (counters.total() == 0) return 0;
  return static_cast<double>(counters.duration_microseconds) /
         static_cast<double>(counters.total()) / 1000.0;
}

}  // namespace gocomet::controlplane
