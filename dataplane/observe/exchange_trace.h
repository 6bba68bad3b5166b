#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gocomet::dataplane {

// How one exchange spends its time, from the first byte of the request's head to the last of the
// answer:
//
//   begun ─ head read ─ sent ─ ─ ─ first byte ─ first written ─ ─ ─ done
//              └──own───┘ └─worker─┘   └───own────┘
//
// The balancer's own share is the time in which it had something to do and nobody else to wait for
// but for a connection: from the head read until it is on its way to a worker, with choosing one
// and connecting, once more for each further attempt; and from the first byte of the answer until
// the client has a part of it. An answer of its own is its own share too. The worker's is from the
// last byte of the request sent until the first of the answer. The rest is clients and bodies.
// Pure: the times are told.
class ExchangeTrace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Span = std::chrono::nanoseconds;

  // `pending` bytes to the client are an earlier exchange's.
  void Begin(Time now, size_t pending) {
    *this = ExchangeTrace();
    begun_ = in_hand_since_ = last_written_ = now;
    bytes_out_ = -static_cast<int64_t>(pending);
  }
  // More of the head came, perhaps the rest; or it comes no more.
  void ReadHead(Time now) { in_hand_since_ = now; }
  void ReadFromClient(size_t bytes) { bytes_in_ += bytes; }
  // An attempt failed; the balancer looks for another worker.
  void TryAgain(Time now) {
    ++retries_;
    in_hand_since_ = now;
    sent_ = answer_began_ = Time();
  }
  void WroteToWorker(Time now) {
    if (answered()) return;  // The rest of a body whose answer has begun.
    if (sent_ == Time()) own_ += now - in_hand_since_;
    sent_ = now;
  }
  void ReadFromWorker(Time now) {
    if (!answered()) answer_began_ = in_hand_since_ = now;
  }
  // What began was an interim answer, and nothing is there yet of what follows it.
  void ForgetInterimAnswer() { answer_began_ = Time(); }
  void WroteToClient(Time now, size_t bytes) {
    last_written_ = now;
    bytes_out_ += static_cast<int64_t>(bytes);
    if (written_ || bytes_out_ <= 0) return;
    const bool is_own_answer = !answered() && sent_ == Time();
    if (!answered() && !is_own_answer)
      return;  // An interim answer, or one for want of the worker's.
    written_ = true;
    own_ += now - in_hand_since_;
  }

  void End() { begun_ = Time(); }

  // Begun and not ended.
  bool open() const { return begun_ != Time(); }
  bool answered() const { return answer_began_ != Time(); }
  uint32_t retries() const { return retries_; }
  uint64_t bytes_in() const { return bytes_in_; }
  uint64_t bytes_out() const { return bytes_out_ < 0 ? 0 : static_cast<uint64_t>(bytes_out_); }
  Span own() const { return own_; }
  // Nothing where the worker did not answer.
  std::optional<Span> worker() const {
    if (!answered() || sent_ == Time()) return std::nullopt;
    return answer_began_ - sent_;
  }
  // Until the last write to the client so far.
  Span total() const { return last_written_ - begun_; }
  Time begun() const { return begun_; }

 private:
  Time begun_;
  Time in_hand_since_;
  Time sent_;
  Time answer_began_;
  Time last_written_;
  Span own_{0};
  uint64_t bytes_in_ = 0;
  int64_t bytes_out_ = 0;
  uint32_t retries_ = 0;
  bool written_ = false;
};

}  // namespace gocomet::dataplane
