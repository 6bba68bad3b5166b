#include "ctl/views/tables.h"

#include <string>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

// The columns that every form has, and those that only the wide one shows.
Table Columns(std::vector<std::string> headers, bool wide, const std::vector<std::string>& more) {
  if (wide) headers.insert(headers.end(), more.begin(), more.end());
  return Table(std::move(headers));
}

void AddRow(Table& table, Row row, bool wide, const Row& more) {
  if (wide) row.insert(row.end(), more.begin(), more.end());
  table.Add(std::move(row));
}

std::string OrEmpty(int64_t number) { return number == 0 ? "" : std::to_string(number); }

Table WorkerColumns(bool wide) {
  return Columns({"NAME", "ID", "STATE", "ADDRESS", "IN-FLIGHT", "FAILURES", "AGE"}, wide,
                 {"UP-TO-DATE", "PID", "BALANCER-ADDRESS", "IMAGE", "REASON"});
}

Cell WorkerState(const v1::WorkerStatus& status) {
  Cell cell = StateCell(status.state());
  if (status.held()) cell.text += ",Held";
  return cell;
}

}  // namespace

Table WorkerTable(const v1::ListWorkersResponse& list, WallTime now, bool wide) {
  Table table = WorkerColumns(wide);
  for (const v1::Worker& worker : list.workers()) {
    const v1::WorkerStatus& status = worker.status();
    AddRow(
        table,
        {worker.name(), worker.id(), WorkerState(status), status.address(), Cat(status.in_flight()),
         Cat(status.consecutive_failures()), Age(status.create_time(), now)},
        wide,
        {YesNo(status.up_to_date()), OrEmpty(status.pid()), status.balancer_address(),
         worker.spec().image(), status.reason()});
  }
  return table;
}

Table RemovedWorkerTable(const v1::Worker& worker, bool wide) {
  Table table = WorkerColumns(wide);
  const std::string word = "Removed";
  const Cell none("");
  AddRow(table, {worker.name(), worker.id(), Cell(word, ToneOf(word)), none, none, none, none},
         wide, Row(5, none));
  return table;
}

Table BalancerTable(const v1::ListBalancersResponse& list, WallTime now, bool wide) {
  Table table = Columns(
      {"NAME", "ADDRESS", "STATE", "REVISION", "REQUESTS", "CONNECTIONS", "IN-FLIGHT", "AGE"}, wide,
      {"THREADS", "PID", "SNAPSHOT", "VERSION", "REASON"});
  for (const v1::Balancer& balancer : list.balancers()) {
    const v1::BalancerStatus& status = balancer.status();
    AddRow(table,
           {balancer.name(), balancer.spec().address(), StateCell(status.state()),
            Cat(status.revision()), Cat(status.requests()), Cat(status.connections()),
            Cat(status.in_flight()), Age(status.start_time(), now)},
           wide,
           {Cat(balancer.spec().threads()), OrEmpty(status.pid()), Cat(status.snapshot_version()),
            status.version(), status.reason()});
  }
  return table;
}

Table ServiceTable(const v1::ListServicesResponse& list, bool wide) {
  Table table = Columns({"NAME", "READY", "UP-TO-DATE", "WORKERS", "PORT-BASE"}, wide,
                        {"BIND-ADDRESS", "HEALTH-PATH", "AVG-DELAY", "FAILURE"});
  for (const v1::Service& service : list.services()) {
    const v1::ServiceSpec& spec = service.spec();
    const v1::ServiceStatus& status = service.status();
    const Tone tone = status.ready() >= spec.replicas() ? Tone::kGood : Tone::kWaiting;
    AddRow(table,
           {service.name(), Cell(Cat(status.ready(), "/", spec.replicas()), tone),
            Cat(status.up_to_date()), Cat(status.workers()), Cat(spec.host_port_base())},
           wide,
           {spec.bind_address(), spec.health().path(),
            spec.has_demo() ? DurationText(spec.demo().average_delay()) : "",
            spec.has_demo() ? Cat(spec.demo().failure_percent(), "%") : ""});
  }
  return table;
}

Table RevisionTable(const v1::ListRevisionsResponse& list, WallTime now, bool wide) {
  Table table =
      Columns({"REVISION", "SOURCE", "AUTHOR", "AGE", "REASON"}, wide, {"CREATED", "CONTENT-HASH"});
  for (const v1::Revision& revision : list.revisions()) {
    AddRow(table,
           {Cat(revision.number()), revision.source(), revision.author(),
            Age(revision.create_time(), now), revision.reason()},
           wide, {TimeText(revision.create_time()), revision.content_hash()});
  }
  return table;
}

Table TokenTable(const v1::ListTokensResponse& list, WallTime now, bool wide) {
  Table table =
      Columns({"NAME", "ID", "ROLE", "EXPIRES-IN", "AGE", "AUTHOR"}, wide, {"CREATED", "EXPIRES"});
  for (const v1::Token& token : list.tokens()) {
    const auto expires = WallTime(std::chrono::seconds(token.expire_time().seconds()));
    const bool has_expired = token.has_expire_time() && expires <= now;
    AddRow(table,
           {token.name(), token.id(), RoleWord(token.role()),
            has_expired ? Cell("expired", Tone::kBad) : Cell(Until(token.expire_time(), now)),
            Age(token.create_time(), now), token.author()},
           wide, {TimeText(token.create_time()), TimeText(token.expire_time())});
  }
  return table;
}

Table EventTable(const v1::ListEventsResponse& list, WallTime now, bool wide) {
  // The message is last, for it may be long.
  Table table(
      wide ? std::vector<std::string>{"SEQUENCE", "TIME", "SEVERITY", "KIND", "SUBJECT", "MESSAGE"}
           : std::vector<std::string>{"AGE", "SEVERITY", "KIND", "SUBJECT", "MESSAGE"});
  for (const v1::Event& event : list.events()) {
    Row row =
        wide ? Row{Cat(event.sequence()), TimeText(event.time())} : Row{Age(event.time(), now)};
    row.push_back(StateCell(event.severity()));
    for (const std::string& text : {event.kind(), event.subject(), event.message()}) {
      row.emplace_back(text);
    }
    table.Add(std::move(row));
  }
  return table;
}

}  // namespace gocomet::ctl
