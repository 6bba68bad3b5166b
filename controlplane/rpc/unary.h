#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include "controlplane/cluster/cluster.h"
#include "controlplane/model/field_error.h"
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

// Lets `ask(reply)` answer on the owner's thread, now or later.
template <typename Ask>
grpc::ServerUnaryReactor* AnswerLater(Cluster& cluster, grpc::CallbackServerContext* context,
                                      Ask ask) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
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
  reactor->Finish(status);
  return reactor;
}

// The part of a list that a page asks for. Tokens are opaque to clients; ours are offsets.
struct Page {
  size_t offset = 0;
  size_t limit = 100;

  static absl::StatusOr<Page> Parse(int32_t size, const std::string& token) {
    Page page;
    if (size < 0 || size > 1000) return InvalidField("page_size", "must be 0 to 1000");
    if (size > 0) page.limit = static_cast<size_t>(size);
    if (token.size() > 9 || token.find_first_not_of("0123456789") != std::string::npos) {
      return InvalidField("page_token", "is not one that a list answered with");
    }
    if (!token.empty()) page.offset = std::stoul(token);
    return page;
  }

  // Calls `add` for each item of the page and returns the next page's token, empty on the last one.
  template <typename Items, typename Add>
  std::string Fill(const Items& items, Add add) const {
    const size_t end =
        offset >= items.size() ? items.size() : std::min(items.size(), offset + limit);
    for (size_t i = offset; i < end; ++i) add(items[i]);
    return end < items.size() ? std::to_string(end) : "";
  }
};

}  // namespace gocomet::controlplane
