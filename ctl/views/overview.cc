#include "ctl/views/overview.h"

#include "common/base/text.h"
#include "ctl/output/sheet.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

// `Draining: asked by …`, `BackOff: exited with status 1; next start in 5s`.
std::string Sentence(const std::string& name, const std::string& state, const std::string& reason,
                     const std::string& next_start) {
  return Cat(name, " is ", state, reason.empty() ? "" : Cat(": ", reason),
             next_start.empty() ? "" : Cat("; next start in ", next_start));
}

Table BalancerLines(const v1::ListBalancersResponse& list) {
  Table table({"NAME", "ADDRESS", "STATE", "REQUESTS"});
  for (const v1::Balancer& balancer : list.balancers()) {
    table.Add({balancer.name(), Cat("http://", balancer.spec().address()),
               StateCell(balancer.status().state()), Cat(balancer.status().requests())});
  }
  return table;
}

std::string RequestsLine(const v1::Statistics& statistics) {
  const uint64_t failed = statistics.total().failed();
  const uint64_t requests = statistics.total().successful() + failed;
  return Cat(requests, ", ", failed, " of them failed (", Percent(failed, requests), "), average ",
             Milliseconds(statistics.average_response_time_ms()));
}

uint64_t ReadyWorkers(const v1::ListWorkersResponse& workers) {
  uint64_t ready = 0;
  for (const v1::Worker& worker : workers.workers()) {
    if (worker.status().state() == v1::WORKER_STATE_READY) ++ready;
  }
  return ready;
}

uint64_t WantedWorkers(const v1::ListServicesResponse& services) {
  uint64_t wanted = 0;
  for (const v1::Service& service : services.services()) wanted += service.spec().replicas();
  return wanted;
}

// Drained by an operator, or not what anybody asked for; the other states pass by themselves.
bool NeedsAttention(const v1::WorkerStatus& status) {
  return status.held() || status.state() == v1::WORKER_STATE_UNHEALTHY ||
         status.state() == v1::WORKER_STATE_BACK_OFF;
}

bool NeedsAttention(const v1::BalancerStatus& status) {
  return status.state() == v1::BALANCER_STATE_DISCONNECTED ||
         status.state() == v1::BALANCER_STATE_BACK_OFF;
}

std::string WordOfWhole(const v1::ClusterStatus& cluster, bool has_problems) {
  if (cluster.stopping()) return "stopping";
  if (has_problems) return "needs attention";
  return cluster.converged() ? "all as wanted" : "converging";
}

}  // namespace

std::vector<std::string> ProblemsOf(const Overview& overview, WallTime now) {
  std::vector<std::string> problems;
  const v1::ClusterStatus& cluster = overview.cluster;
  if (!cluster.runtime_available()) {
    problems.push_back(Cat("the runtime ", RuntimeWord(cluster.runtime()), " does not answer",
                           cluster.runtime_problem().empty() ? "" : ": ",
                           cluster.runtime_problem()));
  }
  for (const v1::Balancer& balancer : overview.balancers.balancers()) {
    const v1::BalancerStatus& status = balancer.status();
    if (!NeedsAttention(status)) continue;
    problems.push_back(Sentence(balancer.name(), WordOf(status.state()), status.reason(),
                                Until(status.next_start_time(), now)));
  }
  for (const v1::Worker& worker : overview.workers.workers()) {
    const v1::WorkerStatus& status = worker.status();
    if (!NeedsAttention(status)) continue;
    problems.push_back(Sentence(worker.name(), WordOf(status.state()), status.reason(),
                                Until(status.next_start_time(), now)));
  }
  return problems;
}

std::vector<std::string> ChangesOf(const Overview& overview) {
  std::vector<std::string> changes;
  for (const v1::Balancer& balancer : overview.balancers.balancers()) {
    const v1::BalancerStatus& status = balancer.status();
    if (status.state() == v1::BALANCER_STATE_READY || NeedsAttention(status)) continue;
    changes.push_back(Sentence(balancer.name(), WordOf(status.state()), status.reason(), ""));
  }
  for (const v1::Worker& worker : overview.workers.workers()) {
    const v1::WorkerStatus& status = worker.status();
    if (status.state() == v1::WORKER_STATE_READY || NeedsAttention(status)) continue;
    changes.push_back(Sentence(worker.name(), WordOf(status.state()), status.reason(), ""));
  }
  return changes;
}

std::string DrawOverview(const Overview& overview, WallTime now, const Style& style) {
  const v1::ClusterStatus& cluster = overview.cluster;
  const std::vector<std::string> problems = ProblemsOf(overview, now);
  const uint64_t ready = ReadyWorkers(overview.workers);
  const uint64_t wanted = WantedWorkers(overview.services);
  Sheet sheet(style);
  sheet.Line("GoComet", Cat(cluster.version(), " at ", overview.server, ", up ",
                            Age(cluster.start_time(), now), ", pid ", cluster.pid()));
  sheet.Line("State", {WordOfWhole(cluster, !problems.empty()),
                       problems.empty() && cluster.converged() ? Tone::kGood : Tone::kWaiting});
  sheet.Line("Runtime",
             Cat(RuntimeWord(cluster.runtime()),
                 cluster.runtime_reason().empty() ? "" : Cat(" (", cluster.runtime_reason(), ")")));
  sheet.Line("Revision", Cat(cluster.revision(), cluster.config_file().empty() ? "" : ", config ",
                             cluster.config_file()));
  sheet.Line("Workers",
             {Cat(ready, "/", wanted, " ready"), ready >= wanted ? Tone::kGood : Tone::kWaiting});
  sheet.Line("Requests", RequestsLine(overview.statistics));
  const uint64_t unwritten = overview.statistics.unwritten_reports();
  sheet.Line("Database",
             Cat(cluster.database_file(),
                 unwritten == 0 ? "" : Cat(" (", Count(unwritten, "report"), " not written yet)")));
  sheet.Heading("Balancers");
  sheet.Indented(BalancerLines(overview.balancers));
  if (!problems.empty()) sheet.Heading("Needs attention");
  for (const std::string& problem : problems) sheet.Indented(problem);
  const std::vector<std::string> changes = ChangesOf(overview);
  if (!changes.empty()) sheet.Heading("Under way");
  for (const std::string& change : changes) sheet.Indented(change);
  return sheet.text();
}

}  // namespace gocomet::ctl
