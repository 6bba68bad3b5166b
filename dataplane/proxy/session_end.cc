// What is told of an exchange once it is over.
#include "dataplane/proxy/session.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {

void Session::Conclude(int status, std::string_view error) {
  if (!trace_.open()) return;
  const bool is_tunnel = status == 101;
  if (error.empty() && !is_tunnel) shard_.mutable_latencies().Record(trace_);
  trace_.End();
}

}  // namespace gocomet::dataplane
