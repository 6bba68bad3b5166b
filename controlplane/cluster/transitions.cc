#include "controlplane/cluster/transitions.h"

#include <csignal>
#include <utility>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// Its ordinal rests for a while that grows with each crash, unless it was healthy for long.
void BackOff(Worker& worker, const Failure& failure, const Now& now) {
  if (worker.ready_since && now.steady - *worker.ready_since >= kHealthyForgives) {
    worker.crashes = 0;
  }
  ++worker.crashes;
  worker.failure = failure;
  const std::chrono::seconds delay = BackOffDelay(worker.crashes);
  EnterState(worker, WorkerState::kBackOff, failure.cause, now);
  worker.next_start = now.steady + delay;
  worker.next_start_time = now.wall + delay;
}

}  // namespace

void EnterState(Worker& worker, WorkerState state, std::string reason, const Now& now) {
  worker.state = state;
  worker.reason = std::move(reason);
  worker.state_since = now.steady;
  worker.passes_in_a_row = 0;
  worker.failures_in_a_row = 0;
  if (state == WorkerState::kReady) {
    worker.ready_since = now.steady;
    worker.ready_time = now.wall;
  } else if (state != WorkerState::kBackOff) {
    worker.ready_since.reset();
  }
}

bool ObserveProbe(Worker& worker, const Probe& probe, const HealthCheck& check, const Now& now) {
  worker.last_probe = probe;
  worker.adopted = false;
  if (probe.passed) {
    ++worker.passes_in_a_row;
    worker.failures_in_a_row = 0;
  } else {
    ++worker.failures_in_a_row;
    worker.passes_in_a_row = 0;
  }
  const bool waits =
      worker.state == WorkerState::kStarting || worker.state == WorkerState::kUnhealthy;
  if (waits && worker.passes_in_a_row >= check.healthy_threshold) {
    EnterState(worker, WorkerState::kReady, "", now);
    return true;
  }
  if (worker.state == WorkerState::kReady &&
      worker.failures_in_a_row >= check.unhealthy_threshold) {
    EnterState(worker, WorkerState::kUnhealthy, Cat("probe failed: ", probe.result), now);
    return true;
  }
  return false;
}

bool ObserveExit(Worker& worker, const Failure& failure, const Now& now) {
  switch (worker.state) {
    case WorkerState::kStopped:
    case WorkerState::kBackOff:
      return false;
    case WorkerState::kDraining:
      if (worker.stop_wanted) {
        EnterState(worker, WorkerState::kStopped, worker.reason, now);
        return true;
      }
      [[fallthrough]];
    default:
      worker.held = false;
      BackOff(worker, failure, now);
      return true;
  }
}

void ObserveStartFailure(Worker& worker, const Failure& failure, const Now& now) {
  BackOff(worker, failure, now);
}

std::string LikelyCause(const Failure& failure) {
  if (failure.out_of_memory) return "killed for lack of memory: raise its memory limit";
  if (failure.signal == SIGKILL) return "killed by SIGKILL, by a person or by the kernel";
  if (failure.signal != 0) return Cat("killed by signal ", failure.signal);
  switch (failure.exit_code) {
    case -1:
      return "it is gone: removed, or stopped by another program";
    case 0:
      return "it exited by itself with status 0: a service must keep running";
    case 126:
      return "exit 126: its program cannot be executed";
    case 127:
      return "exit 127: its program was not found";
    case 137:
      return "exit 137: killed by SIGKILL, by a person or by the kernel";
    case 143:
      return "exit 143: another program asked it to stop";
    default:
      break;
  }
  const std::string last =
      failure.last_log_lines.empty() ? "" : Cat(", last words: ", failure.last_log_lines.back());
  return Cat("exit ", failure.exit_code, last);
}

}  // namespace gocomet::controlplane
