#pragma once

#include <string>

#include "common/base/clock.h"
#include "controlplane/model/config.h"
#include "controlplane/model/worker.h"

// How a worker changes when something is seen of it. Pure: each function takes what was seen and
// when, and changes only the record. Returns whether its state changed.
namespace gocomet::controlplane {

struct Now {
  SteadyTime steady;
  WallTime wall;
};

// Puts it into `state`, with the reason that people read.
void EnterState(Worker& worker, WorkerState state, std::string reason, const Now& now);

// Its readiness probe passed or failed. Starting becomes Ready at the first `healthy_threshold`
// passes; Ready becomes Unhealthy after `unhealthy_threshold` failures, and back.
bool ObserveProbe(Worker& worker, const Probe& probe, const HealthCheck& check, const Now& now);

// It no longer runs. A draining worker has stopped, as wanted; any other one crashed and goes into
// back-off.
bool ObserveExit(Worker& worker, const Failure& failure, const Now& now);

// It could not be started, or did not become ready in time.
void ObserveStartFailure(Worker& worker, const Failure& failure, const Now& now);

// The likely cause of an end, in words a person can act on.
std::string LikelyCause(const Failure& failure);

}  // namespace gocomet::controlplane
