#include "ctl/views/describe.h"

#include "common/base/text.h"
#include "ctl/output/sheet.h"
#include "ctl/views/tables.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

// `2026-11-24T16:00:00Z (3m20s ago)`.
std::string Moment(const google::protobuf::Timestamp& time, WallTime now) {
  const std::string text = TimeText(time);
  return text.empty() ? "" : Cat(text, " (", Age(time, now), " ago)");
}

void AddEvents(Sheet& sheet, const v1::ListEventsResponse& events, WallTime now) {
  if (events.events().empty()) {
    sheet.Line("Events", {"none"});
    return;
  }
  sheet.Heading("Events");
  sheet.Indented(EventTable(events, now, false));
}

void AddProbe(Sheet& sheet, const v1::Probe& probe, WallTime now) {
  sheet.Line("Last probe",
             {probe.passed() ? "passed" : "failed", probe.passed() ? Tone::kGood : Tone::kBad});
  sheet.Line("  Target", probe.target());
  sheet.Line("  Result", probe.result());
  sheet.Line("  Took", DurationText(probe.duration()));
  sheet.Line("  Time", Moment(probe.time(), now));
}

void AddFailure(Sheet& sheet, const v1::Failure& failure, WallTime now) {
  sheet.Line("Failure", {failure.cause(), Tone::kBad});
  sheet.Line("  Time", Moment(failure.time(), now));
  if (failure.exit_code() >= 0) sheet.Line("  Exit code", Cat(failure.exit_code()));
  if (failure.signal() != 0) sheet.Line("  Signal", Cat(failure.signal()));
  if (failure.out_of_memory()) sheet.Line("  Out of memory", {"yes", Tone::kBad});
  if (failure.last_log_lines().empty()) return;
  sheet.Heading("  Last log lines");
  for (const std::string& line : failure.last_log_lines()) sheet.Indented("  " + line);
}

}  // namespace

std::string DescribeWorker(const v1::Worker& worker, const v1::ListEventsResponse& events,
                           WallTime now, const Style& style) {
  const v1::WorkerStatus& status = worker.status();
  Sheet sheet(style);
  sheet.Line("Name", worker.name());
  sheet.Line("ID", worker.id());
  sheet.Line("Service", worker.service());
  sheet.Line("Ordinal", Cat(worker.ordinal()));
  sheet.Line("State", StateCell(status.state()));
  sheet.Line("Reason", status.reason());
  if (status.held()) {
    sheet.Line("Held",
               {Cat("yes; `gocometctl undrain ", worker.name(), "` puts it back"), Tone::kWaiting});
  }
  sheet.Line("Next start", Until(status.next_start_time(), now));
  sheet.Line("Runtime", RuntimeWord(worker.spec().runtime()));
  sheet.Line("Image", worker.spec().image());
  sheet.Line("Address", status.address());
  sheet.Line("Balancer address", status.balancer_address());
  if (status.pid() != 0) sheet.Line("PID", Cat(status.pid()));
  sheet.Line("Created", Moment(status.create_time(), now));
  sheet.Line("Ready", Moment(status.ready_time(), now));
  sheet.Line("Up to date", YesNo(status.up_to_date()));
  sheet.Line("In flight", Cat(status.in_flight()));
  sheet.Line("Failures", Cat(status.consecutive_failures()));
  if (status.has_last_probe()) AddProbe(sheet, status.last_probe(), now);
  if (status.has_failure()) AddFailure(sheet, status.failure(), now);
  AddEvents(sheet, events, now);
  return sheet.text();
}

std::string DescribeBalancer(const v1::Balancer& balancer, const v1::ListEventsResponse& events,
                             WallTime now, const Style& style) {
  const v1::BalancerStatus& status = balancer.status();
  Sheet sheet(style);
  sheet.Line("Name", balancer.name());
  sheet.Line("Address", balancer.spec().address());
  sheet.Line("Threads", Cat(balancer.spec().threads()));
  sheet.Line("State", StateCell(status.state()));
  sheet.Line("Reason", status.reason());
  sheet.Line("Next start", Until(status.next_start_time(), now));
  if (status.pid() != 0) sheet.Line("PID", Cat(status.pid()));
  sheet.Line("Version", status.version());
  sheet.Line("Started", Moment(status.start_time(), now));
  sheet.Line("Revision", Cat(status.revision()));
  sheet.Line("Snapshot", Cat(status.snapshot_version()));
  sheet.Line("Requests", Cat(status.requests()));
  sheet.Line("Connections", Cat(status.connections()));
  sheet.Line("In flight", Cat(status.in_flight()));
  AddEvents(sheet, events, now);
  return sheet.text();
}

std::string DescribeService(const v1::Service& service, const v1::ListWorkersResponse& workers,
                            const v1::ListEventsResponse& events, WallTime now,
                            const Style& style) {
  const v1::ServiceSpec& spec = service.spec();
  Sheet sheet(style);
  sheet.Line("Name", service.name());
  sheet.Line("Replicas", Cat(spec.replicas(), " wanted, ", service.status().workers(), " exist, ",
                             service.status().ready(), " ready, ", service.status().up_to_date(),
                             " up to date"));
  sheet.Line("Ports", Cat(spec.bind_address(), ", from ", spec.host_port_base(), " up"));
  if (spec.has_demo()) {
    sheet.Line("Demo worker", Cat("average delay ", DurationText(spec.demo().average_delay()),
                                  ", failure ", spec.demo().failure_percent(), "%"));
  }
  const v1::HealthCheckSpec& health = spec.health();
  sheet.Line("Health check",
             Cat(health.path().empty() ? "connect only" : Cat("GET ", health.path()), " every ",
                 DurationText(health.interval()), ", within ", DurationText(health.timeout()), ", ",
                 health.healthy_threshold(), " up, ", health.unhealthy_threshold(), " down"));
  sheet.Line("Start deadline", DurationText(health.start_deadline()));
  sheet.Line("Rollout", Cat("max surge ", spec.rollout().max_surge(), ", max unavailable ",
                            spec.rollout().max_unavailable(), ", min ready ",
                            DurationText(spec.rollout().min_ready())));
  sheet.Line("Drain timeout", DurationText(spec.drain_timeout()));
  sheet.Line("Stop grace", DurationText(spec.stop_grace()));
  if (!workers.workers().empty()) {
    sheet.Heading("Workers");
    sheet.Indented(WorkerTable(workers, now, false));
  }
  AddEvents(sheet, events, now);
  return sheet.text();
}

}  // namespace gocomet::ctl
