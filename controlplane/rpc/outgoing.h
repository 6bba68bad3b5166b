#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <grpcpp/grpcpp.h>

namespace gocomet::controlplane {

template <typename Message>
size_t BytesOf(const Message& message) {
  return message.ByteSizeLong();
}
inline size_t BytesOf(const grpc::ByteBuffer& message) { return message.Length(); }

// The sending side of a server's stream: a bounded queue in front of gRPC's "one write at a time".
// Reactor is grpc::ServerWriteReactor<Message> or grpc::ServerBidiReactor<…, Message>. Keeps itself
// alive until gRPC is done with it; make it with std::make_shared, then Begin().
template <typename Reactor, typename Message>
class Outgoing : public Reactor, public std::enable_shared_from_this<Outgoing<Reactor, Message>> {
 public:
  // What waits for a slow reader, with what each message costs beside its content.
  static constexpr size_t kQueuedBytesMax = 16 << 20;
  static constexpr size_t kMessageOverheadBytes = 128;

  // `over` runs once, on a gRPC thread, when the call has ended for whatever reason.
  void Begin(std::function<void()> over) {
    over_ = std::move(over);
    self_ = this->shared_from_this();
  }

  // Any thread. A message with a `slot` above 0 takes the place of an unsent one with the same
  // slot. A reader too slow for the queue loses its call.
  void Send(Message message, int slot = 0) {
    const size_t bytes = BytesOf(message) + kMessageOverheadBytes;
    {
      const std::lock_guard hold(mutex_);
      if (closing_) return;
      if (!ReplaceUnsent(message, slot, bytes)) {
        queue_.push_back({std::move(message), slot, bytes});
        queued_bytes_ += bytes;
      }
      if (queued_bytes_ > kQueuedBytesMax && queue_.size() > 1) {
        closing_ = true;
        end_status_ = {grpc::StatusCode::RESOURCE_EXHAUSTED,
                       "the client reads too slowly; call again and read faster, or ask for less"};
        queue_.clear();
      }
    }
    Continue();
  }

  // Any thread. What is queued is still sent.
  void End(const grpc::Status& status) {
    {
      const std::lock_guard hold(mutex_);
      if (closing_) return;
      closing_ = true;
      end_status_ = status;
    }
    Continue();
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard hold(mutex_);
      writing_ = false;
      if (!ok) Abandon();
    }
    Continue();
  }

  void OnCancel() override {
    {
      const std::lock_guard hold(mutex_);
      Abandon();
    }
    Continue();
  }

  void OnDone() override {
    if (over_) over_();
    over_ = nullptr;
    self_.reset();
  }

 private:
  struct Queued {
    Message message;
    int slot;
    size_t bytes;
  };

  bool ReplaceUnsent(Message& message, int slot, size_t bytes) {
    if (slot <= 0) return false;
    for (Queued& queued : queue_) {
      if (queued.slot != slot) continue;
      queued.message = std::move(message);
      queued_bytes_ += bytes - queued.bytes;
      queued.bytes = bytes;
      return true;
    }
    return false;
  }

  void Abandon() {
    queue_.clear();
    if (!closing_) end_status_ = grpc::Status::CANCELLED;
    closing_ = true;
  }

  // Starts the next write, or finishes. gRPC is called without the lock, since it may call back.
  void Continue() {
    bool write = false;
    bool finish = false;
    {
      const std::lock_guard hold(mutex_);
      if (writing_ || finished_) return;
      if (!queue_.empty()) {
        current_ = std::move(queue_.front().message);
        queued_bytes_ -= queue_.front().bytes;
        queue_.pop_front();
        writing_ = write = true;
      } else if (closing_) {
        finished_ = finish = true;
      }
    }
    if (write) this->StartWrite(&current_);
    if (finish) this->Finish(end_status_);
  }

  std::function<void()> over_;
  std::shared_ptr<Outgoing> self_;

  std::mutex mutex_;  // Guards everything below; current_ belongs to gRPC while writing_.
  std::deque<Queued> queue_;
  size_t queued_bytes_ = 0;
  Message current_;
  grpc::Status end_status_;
  bool writing_ = false;
  bool closing_ = false;
  bool finished_ = false;
};

template <typename Message>
using WatchStream = Outgoing<grpc::ServerWriteReactor<Message>, Message>;

}  // namespace gocomet::controlplane
