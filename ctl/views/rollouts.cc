#include "ctl/views/rollouts.h"

#include <algorithm>

#include <google/protobuf/util/time_util.h>

#include "common/base/text.h"
#include "ctl/output/display_width.h"
#include "ctl/output/sheet.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

std::string Number(uint64_t count) { return count == 0 ? "none" : Cat(count); }

// To the millisecond.
std::string Length(google::protobuf::Duration duration) {
  duration.set_nanos(duration.nanos() / 1'000'000 * 1'000'000);
  return DurationText(duration);
}

// Up to now where it is under way.
std::string Took(const v1::Rollout& rollout, WallTime now) {
  if (!rollout.has_end_time()) return Age(rollout.create_time(), now);
  return Length(rollout.end_time() - rollout.create_time());
}

uint64_t Failed(const v1::RolloutReport& report) {
  return report.server_errors() + report.balancer_errors();
}

// `3 -> 4`; a restart changes no revision.
std::string Revisions(const v1::Rollout& rollout) {
  if (rollout.from_revision() == rollout.to_revision()) return Cat(rollout.to_revision());
  return Cat(rollout.from_revision() == 0 ? "none" : Cat(rollout.from_revision()), " -> ",
             rollout.to_revision());
}

Tone ToneOfState(v1::RolloutState state) {
  switch (state) {
    case v1::ROLLOUT_STATE_DONE:
      return Tone::kGood;
    case v1::ROLLOUT_STATE_PROGRESSING:
    case v1::ROLLOUT_STATE_PAUSED:
      return Tone::kWaiting;
    case v1::ROLLOUT_STATE_ROLLED_BACK:
    case v1::ROLLOUT_STATE_FAILED:
      return Tone::kBad;
    default:
      return Tone::kFaint;
  }
}

std::string RequestsText(const v1::RolloutReport& report) {
  return Cat(report.requests(), " answered, ", Number(report.server_errors()),
             " with 5xx by workers; ", Number(report.balancer_errors()), " with 5xx by balancers");
}

std::string LatencyText(const v1::RolloutReport& report) {
  const auto text = [](bool is_known, const google::protobuf::Duration& p99) {
    return is_known ? Milliseconds(static_cast<double>(p99.seconds()) * 1e3 +
                                   static_cast<double>(p99.nanos()) / 1e6)
                    : std::string("no requests");
  };
  return Cat(text(report.has_p99_before(), report.p99_before()), " in the minute before, ",
             text(report.has_p99_after(), report.p99_after()), " of the new workers");
}

}  // namespace

std::string RolloutName(const v1::Rollout& rollout) {
  return Cat("rollout ", rollout.id(), " of service/", OneLine(rollout.service()));
}

std::string StateText(const v1::Rollout& rollout) {
  std::string text;
  for (const char c : WordOf(rollout.state())) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    if (is_capital && !text.empty()) text += ' ';
    text += is_capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

std::string ProgressText(const v1::Rollout& rollout) {
  const v1::RolloutProgress& progress = rollout.progress();
  std::string text =
      rollout.state() == v1::ROLLOUT_STATE_PROGRESSING ? "" : StateText(rollout) + ", ";
  text += Cat(std::min(progress.available(), progress.wanted()), " of ", progress.wanted(),
              " replaced");
  if (progress.outdated() > 0) text += Cat(", ", Count(progress.outdated(), "old worker"), " left");
  return text;
}

std::string ReportLines(const v1::Rollout& rollout) {
  const v1::RolloutReport& report = rollout.report();
  return Cat(RolloutName(rollout), " ", StateText(rollout), " after ",
             Length(rollout.end_time() - rollout.create_time()), ", ",
             Count(report.workers_replaced(), "worker"), " replaced\n",
             "  requests:         ", RequestsText(report), "\n",
             "  tried again:      ", Number(report.retried()), "\n",
             "  lowest capacity:  ", Count(report.lowest_capacity(), "worker"), "\n",
             "  longest drain:    ", DurationText(report.longest_drain()), "\n",
             "  p99:              ", LatencyText(report), "\n");
}

std::string DescribeRollout(const v1::Rollout& rollout, WallTime now, const Style& style) {
  const v1::RolloutReport& report = rollout.report();
  Sheet sheet(style);
  sheet.Line("Rollout", Cat(rollout.id()));
  sheet.Line("Service", rollout.service());
  sheet.Line("State", {StateText(rollout), ToneOfState(rollout.state())});
  sheet.Line("Message", rollout.message());
  sheet.Line("Cause", Cat(WordOf(rollout.cause()), " by ", rollout.author()));
  sheet.Line("Reason", rollout.reason());
  sheet.Line("Revision", Revisions(rollout));
  sheet.Line("Begun",
             Cat(TimeText(rollout.create_time()), " (", Age(rollout.create_time(), now), " ago)"));
  sheet.Line("Took", rollout.has_end_time() ? Took(rollout, now) : "");
  sheet.Line("Progress", ProgressText(rollout));
  sheet.Line("Workers replaced", Cat(report.workers_replaced()));
  sheet.Line("Requests", RequestsText(report));
  sheet.Line("Tried again", Number(report.retried()));
  sheet.Line("Lowest capacity", Count(report.lowest_capacity(), "worker"));
  sheet.Line("Longest drain", DurationText(report.longest_drain()));
  sheet.Line("p99", LatencyText(report));
  return sheet.text();
}

Table RolloutTable(const v1::ListRolloutsResponse& list, WallTime now, bool wide) {
  std::vector<std::string> headers = {"ID",       "SERVICE", "STATE",    "CAUSE",  "REVISION",
                                      "REPLACED", "TOOK",    "REQUESTS", "FAILED", "AGE"};
  if (wide) headers.insert(headers.end(), {"AUTHOR", "REASON", "MESSAGE"});
  Table table(std::move(headers));
  for (const v1::Rollout& rollout : list.rollouts()) {
    const v1::RolloutProgress& progress = rollout.progress();
    const v1::RolloutReport& report = rollout.report();
    Row row = {Cat(rollout.id()),
               rollout.service(),
               {StateText(rollout), ToneOfState(rollout.state())},
               WordOf(rollout.cause()),
               Revisions(rollout),
               Cat(std::min(progress.available(), progress.wanted()), "/", progress.wanted()),
               Took(rollout, now),
               Cat(report.requests()),
               Cat(Failed(report)),
               Age(rollout.create_time(), now)};
    if (wide) {
      for (const std::string& text : {rollout.author(), rollout.reason(), rollout.message()}) {
        row.emplace_back(text);
      }
    }
    table.Add(std::move(row));
  }
  return table;
}

}  // namespace gocomet::ctl
