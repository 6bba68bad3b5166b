#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/base/unique_fd.h"
#include "common/http/body_scanner.h"
#include "common/http/message.h"
#include "common/http/parse_head.h"
#include "common/http/target.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/exchange_trace.h"
#include "dataplane/proxy/block.h"
#include "dataplane/proxy/held_router.h"
#include "dataplane/proxy/routing_table.h"
#include "dataplane/proxy/splice_pipe.h"
#include "dataplane/proxy/upstream.h"
#include "dataplane/shard/timer_wheel.h"

namespace gocomet::dataplane {

class Shard;

// One client's connection, from its acceptance to its end; one request after the other.
//
//   kHead ──request read──▶ kExchange ──answer written──▶ kHead, or kLinger, or closed
//     │                         └──────101──────────────▶ kTunnel
//     └──not a request──▶ kLinger ──▶ closed
//
// Descriptors are edge-triggered: a flag says that one may be read or written, until a call says
// EAGAIN. Whatever happens, Advance does all that can be done now. The client's is registered only
// once something has to be waited for: a request that came with its connection and is answered at
// once spares both calls. Belongs to one thread.
class Session final : public Upstream::User, private TimerWheel::Timer {
 public:
  // `place` is where the shard keeps it.
  Session(Shard& shard, size_t place, UniqueFd client, std::string client_ip, bool trusted);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  size_t place() const { return place_; }
  void set_place(size_t place) { place_ = place; }
  // Does what can be done at once.
  void Begin();
  // Goes on with what it left at ContinueLater.
  void Continue();
  // The balancer is going. Its next answer says that it is the last, so that no request of a client
  // that heeds this meets a closed connection; where none is asked for in time, it is closed idle.
  void Drain();

 private:
  enum class Phase : uint8_t { kHead, kExchange, kTunnel, kLinger, kClosed };

  static void OnClientEvent(evutil_socket_t fd, short what, void* self);
  void OnTime(TimerWheel::Time now) override;
  void OnUpstreamEvent(short what) override;

  void Advance();
  bool AdvanceOnce();

  // --- Client side
  // From now on the loop tells what happens to it.
  void WatchClient();
  bool ClientIsGone() const;
  bool ReadClient();
  bool ReadHead();
  void BeginExchange(const http::RequestHead& head, size_t consumed);
  // Answers by itself, if no answer has begun; closes afterwards unless it may go on.
  void Refuse(int status, std::string_view reason, std::string_view text, bool may_go_on = false);
  bool WriteClient();
  void AwaitWritable();
  bool Discard();

  // --- The route of the present request
  // Where none is found, the request is to be refused.
  Router::Verdict ChooseService(const http::RequestHead& head, http::TargetForm form);
  void RefuseUnrouted(Router::Verdict verdict);
  void ForgetRoute();
  // The workers of the chosen service as they are now; null where it is gone.
  const RoutingTable* Workers() const;
  // The route's limits, or the balancer's.
  std::chrono::milliseconds ConnectTimeout() const;
  std::chrono::milliseconds ResponseTimeout() const;
  std::chrono::milliseconds BodyTimeout() const;
  uint32_t RetriesMax() const;

  // --- Worker side
  void Dispatch();
  bool FinishConnecting();
  // How long the answer may take, or the next part of the request's body.
  std::chrono::milliseconds TimeToAnswer() const;
  bool ScanRequestBody();
  // By when the client must have sent more of its body.
  void AwaitMoreBody();
  bool WriteWorker();
  bool ReadWorker();
  // What is left of a long body goes from socket to socket within the kernel.
  bool MaySplice();
  bool SpliceFromWorker();
  bool SpliceToClient();
  void WorkerEnded(bool broken);
  bool ReadAnswerHead();
  bool TakeAnswerHead(const http::ResponseHead& head, size_t consumed);
  bool ScanAnswerBody();
  bool FinishAnswer();
  // The connection broke, or never came to be (for this errno), before an answer began.
  void WorkerLost(const char* reason, int connect_error = 0);
  bool MayTryAgain() const;
  void Release(bool reuse);

  bool Tunnel();
  // `why` an exchange that is under way ends without a whole answer.
  void Close(std::string_view why = "client_gone");
  // The present exchange is over: with this status, or 0 where no answer began; `error` is empty
  // where a worker's answer was passed on whole. Its heads and its connection are still there.
  void Conclude(int status, std::string_view error);
  void RecordDurations() const;
  void Log(AccessLog::Lane& log, int status, std::string_view error,
           std::chrono::nanoseconds duration) const;
  void Linger();
  void SetDeadline(std::chrono::milliseconds from_now);
  std::chrono::milliseconds IdleTime() const;
  // The answer to the present request is the last one, since the balancer is going. Requests that
  // are there already are answered first.
  bool IsLastAnswer() const;
  void OnDeadline();

  Shard& shard_;
  size_t place_;
  UniqueFd client_;
  const std::string client_ip_;
  uint64_t requests_ = 0;
  event client_event_{};
  event* client_write_event_ = nullptr;  // Where a write had to wait once.
  TimerWheel::Time deadline_{};
  Phase phase_ = Phase::kHead;
  const bool client_is_trusted_;  // What it says of earlier hops is believed.
  bool client_watched_ = false;
  bool continues_later_ = false;

  bool client_readable_ = true;
  bool client_writable_ = true;
  bool client_closing_ = false;  // An end is behind what can be read.
  bool client_ended_ = false;    // It was read.
  bool worker_readable_ = false;
  bool worker_writable_ = false;
  bool worker_closing_ = false;
  bool worker_ended_ = false;
  bool advancing_ = false;

  Buffer in_;           // From the client.
  Buffer out_;          // From the worker.
  PooledText own_out_;  // Heads and answers that we make for the client, before out_.

  // --- The present request
  size_t seen_ = 0;          // Bytes of an incomplete head that were looked at.
  PooledText request_head_;  // For the worker; kept for another attempt.
  size_t head_sent_ = 0;
  http::BodyScanner request_body_;
  size_t body_scanned_ = 0;        // Bytes at the front of in_ that are its body …
  size_t body_sent_ = 0;           // … and of those, what this attempt has sent.
  TimerWheel::Time body_began_{};  // When the client was last waited for anew …
  uint64_t body_came_ = 0;         // … and the bytes that came since.
  bool body_dropped_ = false;      // Some of what was sent is gone: no other attempt is possible.
  bool keep_alive_ = true;
  bool is_head_ = false;
  bool idempotent_ = false;
  bool wants_upgrade_ = false;
  int minor_version_ = 1;
  uint32_t attempts_ = 0;
  std::vector<EndpointPointer> tried_;
  HeldRouter router_;                     // Its router at its begin …
  const Router::Entry* route_ = nullptr;  // … the route there; null where it has none …
  size_t target_ = 0;                     // … and the place of the service among its targets.
  std::optional<uint64_t> key_hash_;      // Of what keeps it with one service and one worker.
  ExchangeTrace trace_;
  EndpointPointer lost_worker_;  // Of an attempt that failed, the last one.
  bool lost_was_reused_ = false;

  // --- The present attempt and its answer
  std::unique_ptr<Upstream> upstream_;
  bool connected_ = false;
  size_t answer_seen_ = 0;
  bool interim_begun_ = false;  // A 1xx came.
  bool answer_begun_ = false;   // Its final head was taken …
  int answer_status_ = 0;       // … with this status, or 0.
  http::BodyScanner answer_body_;
  size_t answer_scanned_ = 0;  // Bytes at the front of out_ that are its body.
  bool answer_reusable_ = false;
  bool answer_unchunked_ = false;     // For a client that does not know chunks.
  std::unique_ptr<SplicePipe> pipe_;  // Of a long body; what is in it follows out_.
};

}  // namespace gocomet::dataplane
