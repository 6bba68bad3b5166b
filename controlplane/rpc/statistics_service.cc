// StatisticsService: the ledger as people see it.
#include <algorithm>
#include <chrono>
#include <memory>

#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/lookup.h"
#include "controlplane/rpc/unary.h"
#include "controlplane/rpc/view_services.h"
#include "controlplane/rpc/watch.h"

namespace gocomet::controlplane {
namespace {

constexpr uint32_t kShortestIntervalMilliseconds = 100;
constexpr uint32_t kLongestIntervalMilliseconds = 3'600'000;

void Describe(const SparseDurations& durations, v1::DurationSummary& into) {
  const auto milliseconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  into.set_count(durations.count());
  into.set_mean_ms(milliseconds(durations.mean()));
  into.set_p50_ms(milliseconds(durations.Quantile(0.5)));
  into.set_p90_ms(milliseconds(durations.Quantile(0.9)));
  into.set_p99_ms(milliseconds(durations.Quantile(0.99)));
  into.set_p999_ms(milliseconds(durations.Quantile(0.999)));
}

v1::WorkerStatistics DescribeRow(const Ledger::WorkerRow& row, uint64_t in_flight) {
  v1::WorkerStatistics proto;
  proto.set_worker_id(row.worker_id);
  proto.set_worker_name(row.worker_name);
  proto.set_service(row.service);
  *proto.mutable_reported() = ToProto(row.counters);
  v1::BalancedCounters* balanced = proto.mutable_balanced();
  balanced->set_answered(row.balanced.answered);
  for (const uint64_t count : row.balanced.by_status_class) balanced->add_by_status_class(count);
  balanced->set_connect_errors(row.balanced.connect_errors);
  balanced->set_resets(row.balanced.resets);
  balanced->set_timeouts(row.balanced.timeouts);
  balanced->set_retried(row.balanced.retried);
  balanced->set_in_flight(in_flight);
  if (row.report_time != WallTime{}) *proto.mutable_report_time() = ToProto(row.report_time);
  proto.set_retired(row.retired);
  proto.set_average_response_time_ms(row.average_response_time_ms());
  return proto;
}

v1::Statistics Describe(Cluster& cluster, const std::string& service, bool include_retired) {
  v1::Statistics proto;
  *proto.mutable_time() = ToProto(cluster.clock().Wall());
  const RequestCounters total = cluster.ledger().Total(service);
  *proto.mutable_total() = ToProto(total);
  proto.set_average_response_time_ms(Ledger::AverageMilliseconds(total));
  proto.set_unwritten_reports(cluster.store().queued());
  const auto workers = cluster.workers().workers();
  Ledger::Query query;
  query.service = service;
  query.is_retired = [workers](const std::string& id) {
    return std::none_of(workers.begin(), workers.end(),
                        [&](const Worker& w) { return w.id == id; });
  };
  SparseDurations all;
  for (const Ledger::WorkerRow& row : cluster.ledger().Rows(query)) {
    const SparseDurations* durations = cluster.durations().OfWorker(row.worker_id);
    if (durations != nullptr) all.Add(*durations);
    if (row.retired && !include_retired) continue;
    v1::WorkerStatistics& worker = *proto.add_workers();
    worker = DescribeRow(row, cluster.balancers().InFlight(row.worker_id));
    if (durations != nullptr) Describe(*durations, *worker.mutable_durations());
  }
  Describe(all, *proto.mutable_durations());
  return proto;
}

absl::Status CheckService(Cluster& cluster, const std::string& service) {
  return service.empty() ? absl::OkStatus() : FindService(cluster, "service", service).status();
}

absl::Status CheckInterval(uint32_t milliseconds) {
  if (milliseconds == 0 || (milliseconds >= kShortestIntervalMilliseconds &&
                            milliseconds <= kLongestIntervalMilliseconds)) {
    return absl::OkStatus();
  }
  return InvalidField("interval_milliseconds",
                      Cat("must be 0, or ", kShortestIntervalMilliseconds, " to ",
                          kLongestIntervalMilliseconds, ", is ", milliseconds));
}

// One watcher: sends again at each interval, where anything but the time has changed.
class StatisticsWatch : public std::enable_shared_from_this<StatisticsWatch> {
 public:
  StatisticsWatch(Cluster& cluster, const v1::WatchStatisticsRequest& request,
                  std::shared_ptr<WatchStream<v1::Statistics>> stream)
      : cluster_(cluster), request_(request), stream_(std::move(stream)) {}

  void Tick() {
    if (ended_) return;
    v1::Statistics now = Describe(cluster_, request_.service(), request_.include_retired());
    v1::Statistics content = now;
    content.clear_time();
    std::string bytes = content.SerializeAsString();
    if (bytes != last_) {
      last_ = std::move(bytes);
      stream_->Send(std::move(now), kNewestOnly);
    }
    const uint32_t wanted = request_.interval_milliseconds();
    const std::chrono::milliseconds interval(wanted == 0 ? 1000 : wanted);
    cluster_.After(interval, [self = shared_from_this()] { self->Tick(); });
  }
  void End() { ended_ = true; }

 private:
  static constexpr int kNewestOnly = 1;

  Cluster& cluster_;
  const v1::WatchStatisticsRequest request_;
  const std::shared_ptr<WatchStream<v1::Statistics>> stream_;
  std::string last_;
  bool ended_ = false;
};

}  // namespace

grpc::ServerUnaryReactor* StatisticsService::GetStatistics(grpc::CallbackServerContext* context,
                                                           const v1::GetStatisticsRequest* request,
                                                           v1::Statistics* response) {
  return Answer(cluster_, context, [this, request, response] {
    absl::Status known = CheckService(cluster_, request->service());
    if (known.ok()) *response = Describe(cluster_, request->service(), request->include_retired());
    return known;
  });
}

grpc::ServerUnaryReactor* StatisticsService::QueryStatistics(grpc::CallbackServerContext* context,
                                                             const v1::QueryStatisticsRequest*,
                                                             v1::QueryStatisticsResponse*) {
  return AnswerNow(context, {grpc::StatusCode::UNIMPLEMENTED,
                             "history in steps is not kept yet; GetStatistics answers the totals, "
                             "and WatchStatistics follows them"});
}

grpc::ServerWriteReactor<v1::Statistics>* StatisticsService::WatchStatistics(
    grpc::CallbackServerContext* context, const v1::WatchStatisticsRequest* request) {
  using Stream = std::shared_ptr<WatchStream<v1::Statistics>>;
  return Watch<v1::Statistics>(
      context, cluster_, streams_, CheckInterval(request->interval_milliseconds()),
      [this, wanted = *request](const Stream& stream) -> std::function<void()> {
        if (const absl::Status known = CheckService(cluster_, wanted.service()); !known.ok()) {
          stream->End(ToGrpc(known));
          return [] {};
        }
        auto watch = std::make_shared<StatisticsWatch>(cluster_, wanted, stream);
        watch->Tick();
        return [watch] { watch->End(); };
      });
}

}  // namespace gocomet::controlplane
