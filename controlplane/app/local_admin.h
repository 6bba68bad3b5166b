#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/model/access_token.h"

namespace gocomet::controlplane {

// The admin's token of the user whom the control plane runs as. It stays the same from start to
// start. A file that others could read, or that holds no token, is replaced by one with a new token
// (mode 0600). Of the token only its hash is returned.
absl::StatusOr<AccessToken> OpenLocalAdmin(const std::string& token_file, WallTime now);

}  // namespace gocomet::controlplane
