#pragma once

#include <memory>

#include "common/base/clock.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

struct ExternalDriverOptions {
  const Clock* clock = &SystemClock();
};

// Workers that somebody else runs at fixed addresses, which balancers probe and use like any other.
// Start remembers that a worker is expected at its address, and looks for nothing there; Stop and
// Remove only forget. Handle and id follow from the address, so that the same one always has the
// same id. Nothing is remembered beyond the driver's life: List answers with what was started
// since.
std::unique_ptr<RuntimeDriver> MakeExternalDriver(ExternalDriverOptions options = {});

}  // namespace gocomet::controlplane
