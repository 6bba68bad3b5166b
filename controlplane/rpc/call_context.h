#pragma once

#include <string>
#include <string_view>

#include <grpcpp/grpcpp.h>

#include "controlplane/rpc/caller.h"

namespace gocomet::controlplane {

class Gatekeeper;

// The context of every call on the public address: who calls, and whether that is allowed. It is
// judged before the method runs; Answer and Watch, through which every method answers, see to it
// that the method's work is done only where `verdict` is OK.
class CallContext final : public grpc::CallbackServerContext {
 public:
  Caller caller;
  grpc::Status verdict{grpc::StatusCode::INTERNAL, "the call was not judged"};
  bool is_obeyed = false;  // Somebody asked for the verdict.
  Gatekeeper* gatekeeper = nullptr;
};

inline CallContext& Of(grpc::CallbackServerContext* context) {
  return static_cast<CallContext&>(*context);
}

// What became of the call before its method ran: OK, or what to answer instead.
inline const grpc::Status& Verdict(grpc::CallbackServerContext* context) {
  CallContext& call = Of(context);
  call.is_obeyed = true;
  return call.verdict;
}

// Who makes a change, where the request says that it is for `claimed`.
inline std::string AuthorOf(grpc::CallbackServerContext* context, std::string_view claimed) {
  return Of(context).caller.AuthorFor(claimed);
}

// Makes these for the calls of a server.
class CallContexts final : public grpc::ContextAllocator {
 public:
  grpc::CallbackServerContext* NewCallbackServerContext() override { return new CallContext; }
  // gRPC hands over the contexts of methods that do not exist, too, which are its own.
  void Release(grpc::CallbackServerContext* context) override {
    delete dynamic_cast<CallContext*>(context);
  }
};

}  // namespace gocomet::controlplane
