// What is told of an exchange once it is over.
#include "common/base/clock.h"
#include "dataplane/proxy/session.h"
#include "dataplane/shard/shard.h"

namespace gocomet::dataplane {

void Session::Conclude(int status, std::string_view error) {
  if (!trace_.open()) return;
  const bool was_passed_on = error.empty() && status != 101;
  if (was_passed_on) RecordDurations();
  if (AccessLog::Lane* log = shard_.access_log()) {
    // What was cut off took until now, though nothing was written any more.
    const auto duration = was_passed_on ? trace_.total() : Shard::PreciseNow() - trace_.begun();
    if (log->policy().Wants(status, !error.empty(), duration, shard_.NextRandom())) {
      Log(*log, status, error, duration);
    }
  }
  trace_.End();
  lost_worker_.reset();
  ForgetRoute();
}

void Session::RecordDurations() const {
  shard_.mutable_latencies().Record(trace_);
  if (!upstream_) return;
  const auto& durations = upstream_->endpoint()->durations;
  if (shard_.index() < durations.size()) durations[shard_.index()]->total.Record(trace_.total());
}

void Session::Log(AccessLog::Lane& log, int status, std::string_view error,
                  std::chrono::nanoseconds duration) const {
  // The head as the worker got it; as it came, where it did not get that far.
  const RequestOutline request =
      OutlineOf(request_head_.empty() ? in_.view() : request_head_.view());
  const Endpoint* worker = upstream_ ? upstream_->endpoint().get() : lost_worker_.get();
  log.Tell(
      {.began = SystemClock().Wall().time_since_epoch() - (Shard::PreciseNow() - trace_.begun()),
       .duration = duration,
       .own = trace_.own(),
       .worker_time = trace_.worker(),
       .bytes_in = trace_.bytes_in(),
       .bytes_out = trace_.bytes_out(),
       .retries = trace_.retries(),
       .status = status,
       .reused = upstream_ ? upstream_->reused() : lost_was_reused_,
       .client = client_ip_,
       .request_id = request.request_id,
       .method = request.method,
       .target = request.target,
       .protocol = request.protocol,
       .host = request.host,
       .route = route_ != nullptr ? std::string_view(route_->route.name) : "",
       .service = route_ != nullptr ? std::string_view(route_->route.targets[target_].service) : "",
       .worker_id = worker != nullptr ? std::string_view(worker->worker_id) : "",
       .error = error});
}

}  // namespace gocomet::dataplane
