#include "worker/report/reporter.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include <google/protobuf/util/time_util.h>
#include <grpcpp/grpcpp.h>

#include "common/base/random.h"
#include "common/base/text.h"
#include "gocomet/v1/report.grpc.pb.h"
#include "worker/report/convert.h"

namespace gocomet::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kReportInterval{1000};
constexpr milliseconds kBackoffMin{100};
constexpr milliseconds kBackoffMax{1000};
// How long a wait for the connection may keep the reporter from seeing that it was stopped.
constexpr milliseconds kConnectionPoll{100};
// Reports on their way. More would tell a control plane that is behind nothing new: the next one
// carries everything.
constexpr uint64_t kUnacknowledgedMax = 16;

// Numeric or a path, so that nothing is ever resolved.
std::string GrpcTarget(const Address& address) {
  if (address.is_unix()) return address.ToString();
  return Cat(address.family() == AF_INET6 ? "ipv6:" : "ipv4:", address.ToString());
}

grpc::ChannelArguments ChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, static_cast<int>(kBackoffMin.count()));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(kBackoffMax.count()));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, static_cast<int>(kBackoffMax.count()));
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

}  // namespace

struct Reporter::Channel {
  explicit Channel(const Address& control_plane)
      : channel(grpc::CreateCustomChannel(GrpcTarget(control_plane),
                                          grpc::InsecureChannelCredentials(), ChannelArguments())),
        stub(v1::ReportService::NewStub(channel)) {}
  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<v1::ReportService::Stub> stub;
};

struct Reporter::Stream {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ReportRequest, v1::ReportResponse>> calls;
  bool broken = false;    // Under mutex_.
  bool answered = false;  // Under mutex_.
};

Reporter::Reporter(ReporterOptions options, const Counters& counters, Callbacks callbacks)
    : options_(std::move(options)),
      counters_(counters),
      callbacks_(std::move(callbacks)),
      incarnation_(RandomIncarnation()),
      channel_(std::make_unique<Channel>(options_.control_plane)),
      thread_([this] { Run(); }) {}

Reporter::~Reporter() { Stop(); }

bool Reporter::AskCluster() {
  const std::lock_guard hold(mutex_);
  if (stream_ == nullptr || stream_->broken || !MayWrite()) return false;
  asked_ = true;
  changed_.notify_all();
  return true;
}

bool Reporter::Finish(milliseconds patience) {
  bool acknowledged = false;
  {
    std::unique_lock lock(mutex_);
    finishing_ = true;
    changed_.notify_all();
    acknowledged = changed_.wait_for(lock, patience, [this] { return EverythingAcknowledged(); });
  }
  Stop();
  return acknowledged;
}

void Reporter::Stop() {
  {
    const std::lock_guard hold(mutex_);
    stopped_ = true;
    if (stream_ != nullptr) stream_->context.TryCancel();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Reporter::Run() {
  milliseconds backoff = kBackoffMin;
  while (AwaitConnection()) {
    backoff = RunStream() ? kBackoffMin : std::min(backoff * 2, kBackoffMax);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, backoff, [this] { return stopped_; });
  }
}

bool Reporter::AwaitConnection() {
  while (true) {
    {
      const std::lock_guard hold(mutex_);
      if (stopped_) return false;
    }
    if (channel_->channel->WaitForConnected(std::chrono::system_clock::now() + kConnectionPoll)) {
      return true;
    }
    Say(Cat("the control plane at ", options_.control_plane.ToString(),
            " does not answer; trying again"));
  }
}

bool Reporter::RunStream() {
  Stream stream;
  stream.context.AddMetadata("authorization", Cat("Bearer ", options_.token));
  stream.calls = channel_->stub->Report(&stream.context);

  v1::ReportRequest request;
  v1::WorkerHello& hello = *request.mutable_hello();
  hello.set_instance(options_.instance);
  hello.set_worker_id(options_.worker_id);
  hello.set_incarnation(incarnation_);
  hello.set_pid(::getpid());
  hello.set_version(options_.version);
  stream.calls->Write(request);  // Where it fails, so does the first read.
  {
    const std::lock_guard hold(mutex_);
    stream_ = &stream;
    stream_start_ = sequence_;
    asked_ = false;
    if (stopped_) stream.context.TryCancel();
  }
  std::thread reader([this, &stream] { ReadResponses(stream); });
  WriteReports(stream);  // Returns once the stream is broken or cancelled; reads end then too.
  reader.join();
  {
    const std::lock_guard hold(mutex_);
    stream_ = nullptr;
  }
  const grpc::Status status = stream.calls->Finish();
  if (status.error_code() == grpc::StatusCode::CANCELLED) return stream.answered;
  Say(Cat("lost the control plane: ",
          status.error_message().empty() ? "it closed the stream" : status.error_message(),
          "; trying again"));
  return stream.answered;
}

void Reporter::WriteReports(Stream& stream) {
  auto next_report = steady_clock::now();  // The newest numbers at once, whatever was sent before.
  bool first = true;
  while (true) {
    v1::ReportRequest request;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, next_report, [&] {
        return stopped_ || stream.broken || asked_ || (finishing_ && !EverythingAcknowledged());
      });
      if (stopped_ || stream.broken) return;
      const RequestCounts counts = counters_.Read();
      const bool changed = first || counts != newest_sent_;
      if (!MayWrite() || !(changed || asked_)) {
        next_report = steady_clock::now() + kReportInterval;
        // What ended the wait may stay true until an acknowledgement comes.
        changed_.wait_for(lock, kConnectionPoll, [&] {
          return stopped_ || stream.broken || (asked_ && MayWrite()) || EverythingAcknowledged();
        });
        continue;
      }
      // Before it is sent, so that no answer can know more than newest_sent_.
      newest_sent_ = counts;
      ++sequence_;
      v1::WorkerReport& report = *request.mutable_report();
      report.set_sequence(sequence_);
      ToProto(counts, *report.mutable_counters());
      report.set_want_cluster_statistics(std::exchange(asked_, false));
    }
    *request.mutable_report()->mutable_time() = google::protobuf::util::TimeUtil::GetCurrentTime();
    if (!stream.calls->Write(request)) return;
    first = false;
    next_report = steady_clock::now() + kReportInterval;
  }
}

void Reporter::ReadResponses(Stream& stream) {
  v1::ReportResponse response;
  while (stream.calls->Read(&response)) {
    ClusterNumbers numbers;
    bool first_answer = false;
    {
      const std::lock_guard hold(mutex_);
      first_answer = !std::exchange(stream.answered, true);
      // What was never sent cannot be durable.
      acknowledged_ =
          std::max(acknowledged_, std::min(response.acknowledged_sequence(), sequence_));
      numbers.newest_sent = newest_sent_;
      changed_.notify_all();
    }
    if (first_answer) Say("reports to the control plane");
    if (response.has_settings()) callbacks_.on_settings(FromProto(response.settings()));
    if (response.has_cluster()) {
      numbers.rows = FromProto(response.cluster());
      callbacks_.on_cluster(std::move(numbers));
    }
  }
  const std::lock_guard hold(mutex_);
  stream.broken = true;
  changed_.notify_all();
}

bool Reporter::EverythingAcknowledged() const {
  return acknowledged_ == sequence_ && newest_sent_ == counters_.Read();
}

bool Reporter::MayWrite() const {
  return sequence_ - std::max(acknowledged_, stream_start_) < kUnacknowledgedMax;
}

void Reporter::Say(const std::string& news) {
  if (news == std::exchange(last_news_, news)) return;
  std::fprintf(stderr, "gocomet-worker %s: %s\n", options_.worker_id.c_str(), news.c_str());
}

}  // namespace gocomet::worker
