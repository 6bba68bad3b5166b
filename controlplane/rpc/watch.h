#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "common/base/text.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/call_context.h"
#include "controlplane/rpc/gatekeeper.h"
#include "controlplane/rpc/outgoing.h"
#include "controlplane/rpc/status.h"
#include "controlplane/rpc/stream_limit.h"

namespace gocomet::controlplane {

inline grpc::Status TooManyStreams(const StreamLimit& limit) {
  return {grpc::StatusCode::RESOURCE_EXHAUSTED,
          Cat("all ", limit.most(),
              " streams that the control plane serves at once are open; close one and call again")};
}

inline grpc::Status TokenWasDeleted() {
  return {grpc::StatusCode::UNAUTHENTICATED,
          "the token that this stream was opened with has been deleted"};
}

// Ends the stream once the token that it was opened with is deleted. On the owner's thread; answers
// with what takes that back.
template <typename Message>
std::function<void()> EndWithToken(Gatekeeper& gatekeeper, const std::string& token_id,
                                   const std::shared_ptr<WatchStream<Message>>& stream) {
  if (token_id.empty()) return [] {};
  if (!gatekeeper.Knows(token_id)) stream->End(TokenWasDeleted());
  const uint64_t id =
      gatekeeper.deleted_tokens().Add([stream, token_id](const std::string& deleted) {
        if (deleted == token_id) stream->End(TokenWasDeleted());
      });
  return [&gatekeeper, id] { gatekeeper.deleted_tokens().Remove(id); };
}

// A stream that `subscribe(stream)` feeds. It runs on the owner's thread and returns what ends the
// subscription, which runs there too once the call is over. A caller who may not have it, and a
// request that is not `valid`, get that status and no more.
template <typename Message, typename Subscribe>
grpc::ServerWriteReactor<Message>* Watch(grpc::CallbackServerContext* context, Cluster& cluster,
                                         StreamLimit& limit, const absl::Status& valid,
                                         Subscribe subscribe) {
  auto stream = std::make_shared<WatchStream<Message>>();
  auto unsubscribe = std::make_shared<std::function<void()>>();  // The owner's thread only.
  grpc::Status refusal = Verdict(context);
  if (refusal.ok()) refusal = ToGrpc(valid);
  std::shared_ptr<void> place = refusal.ok() ? limit.Take() : nullptr;
  if (refusal.ok() && !place) refusal = TooManyStreams(limit);
  stream->Begin([&cluster, unsubscribe, place] {
    cluster.mailbox().Post([unsubscribe] {
      if (*unsubscribe) std::exchange(*unsubscribe, nullptr)();
    });
  });
  if (!refusal.ok()) {
    stream->End(refusal);
    return stream.get();
  }
  const bool taken = cluster.mailbox().PostRequest(
      [stream, unsubscribe, gatekeeper = Of(context).gatekeeper,
       token_id = Of(context).caller.token_id, subscribe = std::move(subscribe)] {
        const auto end_with_token = EndWithToken(*gatekeeper, token_id, stream);
        *unsubscribe = [end_with_token, end = subscribe(stream)] {
          end_with_token();
          end();
        };
      });
  if (!taken) {
    stream->End(
        {grpc::StatusCode::UNAVAILABLE, "the control plane is stopping or overloaded; try again"});
  }
  return stream.get();
}

}  // namespace gocomet::controlplane
