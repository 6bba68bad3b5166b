#pragma once

#include <memory>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/call_context.h"
#include "controlplane/rpc/status.h"

namespace gocomet::controlplane {

// The answer that one unary call still owes. Finishes it exactly once: with UNAVAILABLE where
// nobody did before it was dropped.
class Reply {
 public:
  explicit Reply(grpc::ServerUnaryReactor* reactor) : reactor_(reactor) {}
  ~Reply() {
    Finish(
        {grpc::StatusCode::UNAVAILABLE, "the control plane is stopping or overloaded; try again"});
  }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  void Finish(const grpc::Status& status) {
    if (reactor_ != nullptr) std::exchange(reactor_, nullptr)->Finish(status);
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
};

// Each of these does its work only for callers who may ask for it; others get the verdict.

// Lets `ask(reply)` answer on the owner's thread, now or later.
template <typename Ask>
grpc::ServerUnaryReactor* AnswerLater(Cluster& cluster, grpc::CallbackServerContext* context,
                                      Ask ask) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (const grpc::Status& verdict = Verdict(context); !verdict.ok()) {
    reactor->Finish(verdict);
    return reactor;
  }
  auto reply = std::make_shared<Reply>(reactor);
  cluster.mailbox().PostRequest([ask = std::move(ask), reply = std::move(reply)] { ask(reply); });
  return reactor;
}

// Lets `ask()` fill the response on the owner's thread and answers with the status it gives.
template <typename Ask>
grpc::ServerUnaryReactor* Answer(Cluster& cluster, grpc::CallbackServerContext* context, Ask ask) {
  return AnswerLater(cluster, context, [ask = std::move(ask)](const std::shared_ptr<Reply>& reply) {
    reply->Finish(ToGrpc(ask()));
  });
}

// Answers at once, on the calling thread.
inline grpc::ServerUnaryReactor* AnswerNow(grpc::CallbackServerContext* context,
                                           const grpc::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const grpc::Status& verdict = Verdict(context);
  reactor->Finish(verdict.ok() ? status : verdict);
  return reactor;
}

}  // namespace gocomet::controlplane
