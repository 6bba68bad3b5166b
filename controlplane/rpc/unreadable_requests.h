#pragma once

#include <memory>

#include <grpcpp/support/server_interceptor.h>

namespace gocomet::controlplane {

// Answers requests whose bytes are not the message they should be: INVALID_ARGUMENT with the field
// whose text is not UTF-8, where that is the fault. gRPC by itself answers UNIMPLEMENTED with no
// word of why.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> ExplainUnreadableRequests();

}  // namespace gocomet::controlplane
