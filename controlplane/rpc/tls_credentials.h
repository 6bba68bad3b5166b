#pragma once

#include <memory>

#include <absl/status/statusor.h>
#include <grpcpp/security/server_credentials.h>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// TLS where there are files for it, otherwise none. Files that change are read again within
// seconds, and have to stay good. INVALID_ARGUMENT names the file at fault.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsFiles& files);

}  // namespace gocomet::controlplane
