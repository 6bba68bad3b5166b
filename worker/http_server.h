#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include <absl/status/status.h>
#include <event2/http.h>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "worker/behaviour.h"
#include "worker/counters.h"
#include "worker/event_loop.h"
#include "worker/stats_desk.h"

namespace gocomet::worker {

// The demo worker's HTTP interface, on the loop's thread:
//   GET /api/v1/hello  500 `Randomized Server Error` at once, or 200 after the delay; counted
//   GET /worker/stats  the cluster's numbers; the header X-GoComet-Stats-Age-Ms says how old those
//                      of the other workers are, `unknown` where none ever came
//   GET /healthz       200 `ok`
// HEAD is answered as GET is, without the body; other methods get 405, other paths 404.
//
// A request counts when its answer is handed over, with the time since it was read. One whose
// client went away meanwhile counts as what it would have got: the work was done.
class HttpServer {
 public:
  // `loop`, `counters` and `stats` must outlive the server.
  HttpServer(EventLoop& loop, std::string worker_id, uint64_t seed, Settings settings,
             Counters& counters, StatsDesk& stats);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Accepts connections at `address` from now on. Returns the address with its real port.
  absl::StatusOr<Address> Listen(const Address& address);

  // For the requests that come after.
  void Use(const Settings& settings) { settings_ = settings; }

  // Stops accepting and closes each connection after its next answer; calls `drained` once every
  // request has its answer sent. At most once.
  void Drain(std::function<void()> drained);

 private:
  class Exchange;

  void OnRequest(evhttp_request* request);
  void AnswerHello(evhttp_request* request, SteadyTime read_at);
  void AnswerStats(evhttp_request* request);
  // Hands over the answer; evhttp owns the request from then on.
  void Answer(evhttp_request* request, int status, std::string_view content_type,
              std::string_view body);
  void OnConnectionDone(evhttp_connection* connection);
  void CheckDrained();

  EventLoop& loop_;
  const std::string worker_id_;
  const std::string hello_body_;
  Behaviour behaviour_;
  Settings settings_;
  Counters& counters_;
  StatsDesk& stats_;

  std::list<std::unique_ptr<Exchange>> exchanges_;  // Requests without an answer yet.
  std::unordered_set<evhttp_connection*> writing_;  // Connections with an answer on its way.
  std::vector<evhttp_bound_socket*> listeners_;
  evhttp* http_;

  std::function<void()> drained_;  // Set while draining.
  Timer drain_timer_;
};

}  // namespace gocomet::worker
