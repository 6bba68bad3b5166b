#pragma once

#include <absl/status/statusor.h>

#include "common/base/address.h"
#include "common/base/unique_fd.h"

namespace gocomet::dataplane {

// Where a socket listens. FAILED_PRECONDITION where it is no socket, or does not listen.
absl::StatusOr<Address> ListeningAddressOf(const UniqueFd& fd);

// Whether a client of one may become a client of the other: of the same port, or of the same Unix
// socket.
bool SharePort(const Address& a, const Address& b);

// Whether who listens on `wide` is reached at `narrow`, too: it is the same address, or `wide` is
// 0.0.0.0 or [::], which takes IPv4, too, and the port is the same.
bool Covers(const Address& wide, const Address& narrow);

}  // namespace gocomet::dataplane
