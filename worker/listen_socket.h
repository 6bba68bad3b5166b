#pragma once

#include <absl/status/statusor.h>

#include "common/base/address.h"
#include "common/base/unique_fd.h"

namespace gocomet::worker {

// A listening, non-blocking socket. A Unix socket is made with mode 0666 (its directory is what
// protects it); one that an ended program left behind is replaced, one that answers is not.
// Errors name the address and say what to do: ALREADY_EXISTS where another program has it.
absl::StatusOr<UniqueFd> ListenOn(const Address& address);

// The address that a socket is bound to, with the port that the kernel chose for port 0.
absl::StatusOr<Address> BoundAddress(const UniqueFd& socket);

// Allows as many open descriptors as the machine's hard limit does.
void RaiseDescriptorLimit();

}  // namespace gocomet::worker
