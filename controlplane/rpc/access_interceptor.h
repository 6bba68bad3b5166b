#pragma once

#include <functional>
#include <memory>

#include <grpcpp/support/server_interceptor.h>

#include "controlplane/model/records.h"
#include "controlplane/rpc/gatekeeper.h"

namespace gocomet::controlplane {

// Judges each call of a server whose contexts are CallContexts before its method runs, and tells
// `record` of each change that was made, tried or denied, with who it was. `record` may be called
// on any thread and must not block.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeAccessInterceptors(
    Gatekeeper& gatekeeper, std::function<void(Event)> record);

}  // namespace gocomet::controlplane
