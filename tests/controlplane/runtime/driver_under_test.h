#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controlplane/runtime/runtime_driver.h"

// The drivers that the contract suite runs over; one executable for each, since they need different
// things of the machine.
namespace gocomet::controlplane {

std::vector<std::string> DriversUnderTest();
// "" where the driver can be tried here.
std::string ReasonToSkip(const std::string& name);
// A driver over the state of one control plane.
absl::StatusOr<std::unique_ptr<RuntimeDriver>> MakeDriver(const std::string& name,
                                                          const std::string& state_directory);

}  // namespace gocomet::controlplane
