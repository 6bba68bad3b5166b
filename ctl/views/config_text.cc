#include "ctl/views/config_text.h"

#include "common/base/text.h"
#include "ctl/output/display_width.h"

namespace gocomet::ctl {
namespace {

std::string OrNone(const std::string& value) { return value.empty() ? "(none)" : value; }

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
  for (const v1::FieldChange& change : plan.changes()) {
    text += Cat("  ",
                OneLine(Cat(change.field(), ": ", OrNone(change.old_value()), " -> ",
                            OrNone(change.new_value()))),
                "\n");
  }
  if (!plan.steps().empty()) text += "steps:\n";
  int number = 0;
  for (const std::string& step : plan.steps()) {
    text += Cat("  ", ++number, ". ", OneLine(step), "\n");
  }
  return text;
}

}  // namespace gocomet::ctl
