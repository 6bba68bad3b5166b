#pragma once

#include <grpcpp/server_builder.h>

namespace gocomet::controlplane {

// Answers requests whose bytes are not the message they should be: INVALID_ARGUMENT with the field
// whose text is not UTF-8, where that is the fault. gRPC by itself answers UNIMPLEMENTED with no
// word of why. Call before the server is built.
void ExplainUnreadableRequests(grpc::ServerBuilder& builder);

}  // namespace gocomet::controlplane
