#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/outgoing.h"

namespace gocomet::controlplane {

// A stream that `subscribe(stream)` feeds. It runs on the owner's thread and returns what ends the
// subscription, which runs there too once the call is over.
template <typename Message, typename Subscribe>
grpc::ServerWriteReactor<Message>* Watch(Cluster& cluster, Subscribe subscribe) {
  auto stream = std::make_shared<WatchStream<Message>>();
  auto unsubscribe = std::make_shared<std::function<void()>>();  // The owner's thread only.
  stream->Begin([&cluster, unsubscribe] {
    cluster.mailbox().Post([unsubscribe] {
      if (*unsubscribe) std::exchange(*unsubscribe, nullptr)();
    });
  });
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
