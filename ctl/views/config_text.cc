#include "ctl/views/config_text.h"

#include "common/base/text.h"
#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

std::string OrNone(const std::string& value) { return value.empty() ? "(none)" : value; }

// What the steps mean for those who send requests.
std::string CapacityText(const v1::PlanConfigResponse& plan) {
  std::string text;
  for (const v1::ServicePlan& service : plan.services()) {
    text += Cat("  ", OneLine(service.service()), ": ", service.serving(), " serving, never below ",
                service.lowest_serving());
    if (service.first_port() != 0) {
      text += Cat("; ports ", service.first_port(), " to ", service.last_port());
    }
    text += "\n";
  }
  if (plan.client_connections_affected() != 0) {
    text += Cat("  connections of clients that are closed once they are answered: ",
                plan.client_connections_affected(), "\n");
  }
  return text.empty() ? text : Cat("meanwhile:\n", text);
}

}  // namespace

std::string ProblemLines(const google::protobuf::RepeatedPtrField<v1::ConfigProblem>& problems) {
  std::string lines;
  for (const v1::ConfigProblem& problem : problems) {
    std::string line = problem.file();
    if (problem.line() != 0) line += Cat(":", problem.line(), ":", problem.column());
    line += ": ";
    if (!problem.key().empty()) line += problem.key() + ": ";
    lines += OneLine(line + problem.message()) + "\n";
  }
  return lines;
}

std::string PlanText(const v1::PlanConfigResponse& plan) {
  if (!plan.changes_anything()) {
    return Cat("no changes: revision ", plan.base_revision(), " says the same\n");
  }
  std::string text = Cat("changes to revision ", plan.base_revision(), ":\n");
  text += ChangeLines(plan.changes());
  if (!plan.steps().empty()) text += "steps:\n";
  int number = 0;
  for (const std::string& step : plan.steps()) {
    text += Cat("  ", ++number, ". ", OneLine(step), "\n");
  }
  return text + CapacityText(plan);
}

std::string ChangeLines(const google::protobuf::RepeatedPtrField<v1::FieldChange>& changes) {
  std::string lines;
  for (const v1::FieldChange& change : changes) {
    lines += Cat("  ",
                 OneLine(Cat(change.field(), ": ", OrNone(change.old_value()), " -> ",
                             OrNone(change.new_value()))),
                 "\n");
  }
  return lines;
}

std::string DiffText(const v1::DiffRevisionsResponse& diff) {
  const std::string revisions =
      Cat("revision ", diff.from().number(), " to revision ", diff.to().number());
  if (diff.changes().empty()) return Cat("no changes from ", revisions, "\n");
  return Cat("changes from ", revisions, ":\n", ChangeLines(diff.changes()));
}

}  // namespace gocomet::ctl
