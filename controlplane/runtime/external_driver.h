#pragma once

#include <memory>

#include "common/base/clock.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

struct ExternalDriverOptions {
  const Clock* clock = &SystemClock();
};

// Workers that somebody else runs at fixed addresses, which balancers probe and use like any other:
// at the endpoint of the launch, or at its port. Start remembers that a worker is expected there,
// and looks for nothing; Stop and Remove only forget. Handle and id follow from service and
// address, so that the same one always has the same id. Nothing is remembered beyond the driver's
// life: List answers with what was started since.
std::unique_ptr<RuntimeDriver> MakeExternalDriver(ExternalDriverOptions options = {});

// The driver of services that `driver` runs and, beside them, of those whose launches have an
// endpoint, which an external driver takes.
std::unique_ptr<RuntimeDriver> WithEndpoints(std::unique_ptr<RuntimeDriver> driver);

}  // namespace gocomet::controlplane
