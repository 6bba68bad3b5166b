#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "controlplane/app/state_directory.h"
#include "controlplane/model/config.h"
#include "controlplane/runtime/runtime_driver.h"

namespace gocomet::controlplane {

struct ChosenRuntime {
  std::unique_ptr<RuntimeDriver> driver;
  std::string reason;  // For people, beside the name of the runtime: what that means, or why it is.
};

// Makes the driver that `wanted` names; for `auto`, Docker's where an engine answers, else
// processes. Relative paths of services start at `config_directory`.
absl::StatusOr<ChosenRuntime> ChooseRuntime(RuntimeKind wanted, const StateDirectory& state,
                                            const std::string& config_directory,
                                            const std::string& worker_program);

}  // namespace gocomet::controlplane
