#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "common/base/text.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/outgoing.h"
#include "controlplane/rpc/status.h"
#include "controlplane/rpc/stream_limit.h"

namespace gocomet::controlplane {

inline grpc::Status TooManyStreams(const StreamLimit& limit) {
  return {grpc::StatusCode::RESOURCE_EXHAUSTED,
          Cat("all ", limit.most(),
              " streams that the control plane serves at once are open; close one and call again")};
}

// A stream that `subscribe(stream)` feeds. It runs on the owner's thread and returns what ends the
// subscription, which runs there too once the call is over. A request that is not `valid` gets that
// status and no more.
template <typename Message, typename Subscribe>
grpc::ServerWriteReactor<Message>* Watch(Cluster& cluster, StreamLimit& limit,
                                         const absl::Status& valid, Subscribe subscribe) {
  auto stream = std::make_shared<WatchStream<Message>>();
  auto unsubscribe = std::make_shared<std::function<void()>>();  // The owner's thread only.
  std::shared_ptr<void> place = limit.Take();
  const bool refused = !place || !valid.ok();
  stream->Begin([&cluster, unsubscribe, place] {
    cluster.mailbox().Post([unsubscribe] {
      if (*unsubscribe) std::exchange(*unsubscribe, nullptr)();
    });
  });
  if (refused) {
    stream->End(valid.ok() ? TooManyStreams(limit) : ToGrpc(valid));
    return stream.get();
  }
  const bool taken =
      cluster.mailbox().PostRequest([stream, unsubscribe, subscribe = std::move(subscribe)] {
        *unsubscribe = subscribe(stream);
      });
  if (!taken) {
    stream->End(
        {grpc::StatusCode::UNAVAILABLE, "the control plane is stopping or overloaded; try again"});
  }
  return stream.get();
}

}  // namespace gocomet::controlplane
