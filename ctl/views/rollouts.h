#pragma once

#include <string>

#include "common/base/clock.h"
#include "ctl/output/style.h"
#include "ctl/output/table.h"
#include "gocomet/v1/rollouts.pb.h"

// How rollouts read. Pure.
namespace gocomet::ctl {

// `rollout 4 of service/worker`.
std::string RolloutName(const v1::Rollout& rollout);
// `progressing`, `rolled back`.
std::string StateText(const v1::Rollout& rollout);
// `2 of 3 replaced, 1 old worker left`; `paused, …` where it is not progressing.
std::string ProgressText(const v1::Rollout& rollout);
// The closing report, some lines.
std::string ReportLines(const v1::Rollout& rollout);
// Everything known about it.
std::string DescribeRollout(const v1::Rollout& rollout, WallTime now, const Style& style);

Table RolloutTable(const v1::ListRolloutsResponse& list, WallTime now, bool wide);

}  // namespace gocomet::ctl
