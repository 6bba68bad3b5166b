#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "controlplane/statistics/ledger.h"

namespace gocomet::controlplane {
namespace {

using Random = std::mt19937;

uint64_t Below(Random& random, uint64_t bound) {
  return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random);
}

// The rules of the ledger in their plainest form: everything is added up anew for each question.
class NaiveLedger {
 public:
  bool Apply(const WorkerTotals& report) {
    const auto key = std::pair(report.worker_id, report.incarnation);
    const auto known = reports_.find(key);
    if (known != reports_.end()) {
      const WorkerTotals& before = known->second;
      if (report.sequence <= before.sequence) return false;
      if (report.counters.successful < before.counters.successful ||
          report.counters.failed < before.counters.failed ||
          report.counters.duration_microseconds < before.counters.duration_microseconds) {
        return false;
      }
    }
    if (!ContainsWorker(report.worker_id)) order_.push_back(report.worker_id);
    reports_[key] = report;
    return true;
  }

  bool Apply(const BalancedTotals& totals) {
    const auto key = std::tuple(totals.balancer, totals.balancer_incarnation, totals.worker_id,
                                totals.worker_incarnation);
    const auto known = balanced_.find(key);
    if (known != balanced_.end() &&
        (totals.answered < known->second.answered || totals.resets < known->second.resets)) {
      return false;
    }
    if (known != balanced_.end() && totals.answered == known->second.answered &&
        totals.resets == known->second.resets) {
      return false;
    }
    balanced_[key] = totals;
    return true;
  }

  const std::vector<std::string>& order() const { return order_; }

  RequestCounters CountersOf(const std::string& worker) const {
    RequestCounters sum;
    for (const auto& [key, report] : reports_) {
      if (key.first != worker) continue;
      sum.successful += report.counters.successful;
      sum.failed += report.counters.failed;
      sum.duration_microseconds += report.counters.duration_microseconds;
    }
    return sum;
  }
  std::pair<uint64_t, uint64_t> BalancedOf(const std::string& worker) const {
    std::pair<uint64_t, uint64_t> sum;
    for (const auto& [key, totals] : balanced_) {
      if (std::get<2>(key) != worker) continue;
      sum.first += totals.answered;
      sum.second += totals.resets;
    }
    return sum;
  }

 private:
  bool ContainsWorker(const std::string& id) const {
    return std::find(order_.begin(), order_.end(), id) != order_.end();
  }

  std::map<std::pair<std::string, uint64_t>, WorkerTotals> reports_;
  std::map<std::tuple<std::string, uint64_t, std::string, uint64_t>, BalancedTotals> balanced_;
  std::vector<std::string> order_;
};

WorkerTotals RandomReport(Random& random) {
  return {"w" + std::to_string(Below(random, 4)),
          Below(random, 3),
          "name",
          "worker",
          Below(random, 12),
          {Below(random, 6), Below(random, 6), Below(random, 6)},
          {}};
}

BalancedTotals RandomBalanced(Random& random) {
  BalancedTotals totals{"b" + std::to_string(Below(random, 2)), Below(random, 2),
                        "w" + std::to_string(Below(random, 5)), Below(random, 2)};
  totals.answered = Below(random, 8);
  totals.resets = Below(random, 3);
  return totals;
}

void ExpectSame(const Ledger& ledger, const NaiveLedger& naive) {
  RequestCounters total;
  std::set<std::string> seen;
  const auto rows = ledger.Rows();
  ASSERT_GE(rows.size(), naive.order().size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Ledger::WorkerRow& row = rows[i];
    if (i < naive.order().size()) {
      ASSERT_EQ(row.worker_id, naive.order()[i]);
    }
    ASSERT_TRUE(seen.insert(row.worker_id).second) << row.worker_id << " has two rows";
    ASSERT_EQ(row.counters, naive.CountersOf(row.worker_id));
    ASSERT_EQ(std::pair(row.balanced.answered, row.balanced.resets),
              naive.BalancedOf(row.worker_id));
    total.successful += row.counters.successful;
    total.failed += row.counters.failed;
    total.duration_microseconds += row.counters.duration_microseconds;
  }
  ASSERT_EQ(ledger.Total(), total);
}

TEST(LedgerProperty, AgreesWithANaiveModelAfterEveryReport) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Ledger ledger;
    NaiveLedger naive;
    for (int step = 0; step < 60; ++step) {
      if (Below(random, 2) == 0) {
        const WorkerTotals report = RandomReport(random);
        ASSERT_EQ(static_cast<bool>(ledger.ApplyReport(report)), naive.Apply(report));
      } else {
        const BalancedTotals totals = RandomBalanced(random);
        ASSERT_EQ(static_cast<bool>(ledger.ApplyBalanced(totals)), naive.Apply(totals));
      }
      ExpectSame(ledger, naive);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// Reports arrive lost, doubled and out of order; the last one of each incarnation arrives.
TEST(LedgerProperty, NoLossNorRepetitionNorOrderChangesTheEnd) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<WorkerTotals> arriving;
    RequestCounters truth;
    for (int worker = 0; worker < 5; ++worker) {
      for (uint64_t incarnation = 1; incarnation <= 2; ++incarnation) {
        WorkerTotals report{"w" + std::to_string(worker), incarnation, "name", "worker", 0, {}, {}};
        for (uint64_t sequence = 1; sequence <= 10; ++sequence) {
          report.sequence = sequence;
          report.counters.successful += Below(random, 10);
          report.counters.failed += Below(random, 10);
          report.counters.duration_microseconds += Below(random, 1000);
          const uint64_t copies = sequence == 10 ? 1 + Below(random, 2) : Below(random, 3);
          arriving.insert(arriving.end(), copies, report);
        }
        truth.successful += report.counters.successful;
        truth.failed += report.counters.failed;
        truth.duration_microseconds += report.counters.duration_microseconds;
      }
    }
    std::shuffle(arriving.begin(), arriving.end(), random);
    Ledger ledger;
    for (const WorkerTotals& report : arriving) ledger.ApplyReport(report);
    ASSERT_EQ(ledger.Total(), truth);
  }
}

TEST(LedgerProperty, AddsUpAThousandWorkers) {
  Ledger ledger;
  constexpr uint64_t kReports = 1000;
  for (uint64_t sequence = 1; sequence <= 100; ++sequence) {
    for (uint64_t worker = 0; worker < kReports; ++worker) {
      ledger.ApplyReport(
          {"w" + std::to_string(worker), 1, "name", "worker", sequence, {sequence, 0, 0}, {}});
    }
  }
  EXPECT_EQ(ledger.Rows().size(), kReports);
  EXPECT_EQ(ledger.Total().successful, 100 * kReports);
}

}  // namespace
}  // namespace gocomet::controlplane
