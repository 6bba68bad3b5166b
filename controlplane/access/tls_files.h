#pragma once

#include <absl/status/status.h>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// Reads the files that are set. INVALID_ARGUMENT or NOT_FOUND names the first one that cannot be
// used, why, and its key in config.yaml.
absl::Status CheckTlsFiles(const TlsFiles& files);

}  // namespace gocomet::controlplane
