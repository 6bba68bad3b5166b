#include "tests/worker/fake_control_plane.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gocomet::worker {

class FakeControlPlane::Service final : public v1::ReportService::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::ReportResponse, v1::ReportRequest>;

  Service(Memory& memory, Manners manners) : memory_(memory), manners_(std::move(manners)) {}

  grpc::Status Report(grpc::ServerContext* context, Stream* stream) override {
    if (!manners_.refusal.empty()) {
      return {grpc::StatusCode::UNAUTHENTICATED, manners_.refusal};
    }
    const std::lock_guard one_at_a_time(streams_mutex_);
    v1::ReportRequest request;
    if (!stream->Read(&request) || !request.has_hello()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "the first message must be a hello"};
    }
    const v1::WorkerHello hello = request.hello();
    {
      const std::lock_guard hold(memory_.mutex);
      memory_.hellos.push_back(hello);
      for (auto [begin, end] = context->client_metadata().equal_range("authorization");
           begin != end; ++begin) {
        memory_.tokens.emplace_back(begin->second.data(), begin->second.size());
      }
    }
    {
      const std::lock_guard hold(write_mutex_);
      stream_ = stream;
      stream->Write(v1::ReportResponse());
    }
    while (stream->Read(&request)) Take(hello, request.report(), *stream);
    const std::lock_guard hold(write_mutex_);
    stream_ = nullptr;
    return grpc::Status::OK;
  }

  void Send(const v1::ReportResponse& response) {
    const std::lock_guard hold(write_mutex_);
    if (stream_ != nullptr) stream_->Write(response);
  }

 private:
  void Take(const v1::WorkerHello& hello, const v1::WorkerReport& report, Stream& stream) {
    v1::ReportResponse answer;
    v1::ReportResponse acknowledgement;
    {
      const std::lock_guard hold(memory_.mutex);
      memory_.reports.push_back(report);
      memory_.newest[hello.incarnation()] = report;
      if (manners_.acknowledges) acknowledgement.set_acknowledged_sequence(report.sequence());
      if (report.want_cluster_statistics() && manners_.answers_questions) {
        v1::ClusterStatistics& cluster = *answer.mutable_cluster();
        for (const auto& row : memory_.others) *cluster.add_workers() = row;
        auto& own = *cluster.add_workers();
        own.set_worker_id(hello.worker_id());
        for (const auto& [incarnation, newest] : memory_.newest) Add(newest, own);
      }
    }
    // Numbers come from memory and are there before the report is durable.
    const std::lock_guard hold(write_mutex_);
    if (answer.has_cluster()) stream.Write(answer);
    stream.Write(acknowledgement);
  }

  static void Add(const v1::WorkerReport& report, v1::ClusterStatistics::Row& row) {
    v1::RequestCounters& sum = *row.mutable_counters();
    sum.set_successful(sum.successful() + report.counters().successful());
    sum.set_failed(sum.failed() + report.counters().failed());
    sum.set_duration_microseconds(sum.duration_microseconds() +
                                  report.counters().duration_microseconds());
  }

  Memory& memory_;
  const Manners manners_;
  std::mutex streams_mutex_;
  std::mutex write_mutex_;
  Stream* stream_ = nullptr;
};

FakeControlPlane::FakeControlPlane(const std::string& socket_path, Memory& memory, Manners manners)
    : service_(std::make_unique<Service>(memory, std::move(manners))) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket_path, grpc::InsecureServerCredentials());
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
}

FakeControlPlane::~FakeControlPlane() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void FakeControlPlane::SendSettings(int64_t delay_ms, uint32_t failure_percent) {
  v1::ReportResponse response;
  v1::DemoWorkerSpec& settings = *response.mutable_settings();
  settings.mutable_average_delay()->set_seconds(delay_ms / 1000);
  settings.mutable_average_delay()->set_nanos(static_cast<int32_t>(delay_ms % 1000) * 1'000'000);
  settings.set_failure_percent(failure_percent);
  service_->Send(response);
}

v1::RequestCounters NewestCounters(FakeControlPlane::Memory& memory) {
  const std::lock_guard hold(memory.mutex);
  return memory.reports.empty() ? v1::RequestCounters() : memory.reports.back().counters();
}

size_t ReportCount(FakeControlPlane::Memory& memory) {
  const std::lock_guard hold(memory.mutex);
  return memory.reports.size();
}

size_t QuestionCount(FakeControlPlane::Memory& memory) {
  const std::lock_guard hold(memory.mutex);
  return static_cast<size_t>(
      std::count_if(memory.reports.begin(), memory.reports.end(),
                    [](const auto& report) { return report.want_cluster_statistics(); }));
}

size_t HelloCount(FakeControlPlane::Memory& memory) {
  const std::lock_guard hold(memory.mutex);
  return memory.hellos.size();
}

}  // namespace gocomet::worker
