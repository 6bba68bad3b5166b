#include "dataplane/agent/agent.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include <grpcpp/grpcpp.h>
#include <openssl/sha.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/version.h"
#include "dataplane/agent/convert.h"
#include "gocomet/v1/sync.grpc.pb.h"

namespace gocomet::dataplane {
namespace {

constexpr std::chrono::milliseconds kReconnectFirst{100};
constexpr std::chrono::milliseconds kReconnectLongest{1000};
constexpr std::chrono::milliseconds kReportEvery{1000};
constexpr std::chrono::milliseconds kFarewell{2000};
constexpr int kSnapshotBytesMax = 64 << 20;

std::string Checksum(const std::string& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return {reinterpret_cast<const char*>(digest), sizeof(digest)};
}

void Log(const std::string& line) {
  const std::string text = Cat("gocomet-balancer: ", line, "\n");
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

// One connection to the control plane, from its hello to its end. Methods may be called on any
// thread; gRPC allows one write at a time, so messages wait in a queue, where of reports only the
// newest counts.
class Agent::Stream final : public grpc::ClientBidiReactor<v1::SyncRequest, v1::SyncResponse>,
                            public std::enable_shared_from_this<Agent::Stream> {
 public:
  explicit Stream(Agent& agent) : agent_(agent) {}

  void Start(v1::DataPlaneService::Stub& stub) {
    self_ = shared_from_this();
    context_.AddMetadata("authorization", Cat("Bearer ", agent_.options_.token));
    stub.async()->Sync(&context_, this);
    AddHold();  // Writes start outside of reactions; OnDone must wait until no more can.
    v1::SyncRequest hello;
    v1::BalancerHello* message = hello.mutable_hello();
    message->set_balancer(agent_.options_.name);
    message->set_incarnation(agent_.options_.incarnation);
    message->set_pid(::getpid());
    message->set_version(kVersion);
    message->set_address(agent_.options_.address);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    message->mutable_start_time()->set_seconds(
        std::chrono::duration_cast<std::chrono::seconds>(now).count());
    Send(std::move(hello));
    StartRead(&response_);
    StartCall();
  }

  void SendAck(uint64_t version, const std::string& refusal) {
    v1::SyncRequest request;
    request.mutable_ack()->set_version(version);
    request.mutable_ack()->set_refusal(refusal);
    Send(std::move(request));
  }

  // An unsent report is overtaken by a newer one, unless an ack stands between them: what an ack is
  // followed by must have been read after it.
  void SendReport(v1::BalancerReport report) {
    v1::SyncRequest request;
    *request.mutable_report() = std::move(report);
    {
      const std::lock_guard hold(mutex_);
      if (!queue_.empty() && queue_.back().has_report()) queue_.pop_back();
    }
    Send(std::move(request));
  }

  void Cancel() { context_.TryCancel(); }

  bool WaitUntilOver(std::chrono::milliseconds time) {
    std::unique_lock hold(mutex_);
    return over_changed_.wait_for(hold, time, [this] { return over_; });
  }
  bool over() {
    const std::lock_guard hold(mutex_);
    return over_;
  }
  uint64_t acknowledged_report() {
    const std::lock_guard hold(mutex_);
    return acknowledged_report_;
  }
  grpc::Status status() {
    const std::lock_guard hold(mutex_);
    return status_;
  }

 private:
  void Send(v1::SyncRequest request) {
    const std::lock_guard hold(mutex_);
    if (broken_) return;
    queue_.push_back(std::move(request));
    WriteNext();
  }

  void WriteNext() {
    if (writing_ || queue_.empty() || broken_) return;
    current_ = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    StartWrite(&current_);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard hold(mutex_);
    writing_ = false;
    if (!ok) return Break();
    WriteNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      const std::lock_guard hold(mutex_);
      return Break();
    }
    if (response_.has_snapshot()) {
      agent_.OnSnapshot(response_.snapshot(), shared_from_this());
    } else if (response_.has_report_ack()) {
      const std::lock_guard hold(mutex_);
      acknowledged_report_ = std::max(acknowledged_report_, response_.report_ack().sequence());
      over_changed_.notify_all();
      agent_.loop_.Post([&director = agent_.director_, sequence = acknowledged_report_] {
        director.ReportArrived(sequence);
      });
    }
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    std::shared_ptr<Stream> last_reference;
    const std::lock_guard hold(mutex_);
    status_ = status;
    over_ = true;
    over_changed_.notify_all();
    last_reference = std::move(self_);
  }

  void Break() {
    if (std::exchange(broken_, true)) return;
    queue_.clear();
    RemoveHold();
  }

  Agent& agent_;
  grpc::ClientContext context_;
  v1::SyncResponse response_;
  std::shared_ptr<Stream> self_;  // gRPC uses it until OnDone.

  std::mutex mutex_;  // Guards everything below; current_ belongs to gRPC while writing_.
  std::condition_variable over_changed_;
  std::deque<v1::SyncRequest> queue_;
  v1::SyncRequest current_;
  grpc::Status status_;
  uint64_t acknowledged_report_ = 0;
  bool writing_ = false;
  bool broken_ = false;
  bool over_ = false;
};

Agent::Agent(AgentOptions options, Director& director, EventLoop& loop)
    : options_(std::move(options)), director_(director), loop_(loop) {}

Agent::~Agent() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
    if (stream_) stream_->Cancel();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Agent::UseKeptSnapshot() {
  const auto bytes = ReadFile(options_.snapshot_file);
  if (!bytes.ok() || bytes->size() < SHA256_DIGEST_LENGTH) return false;
  const std::string content = bytes->substr(SHA256_DIGEST_LENGTH);
  v1::Snapshot snapshot;
  if (Checksum(content) != bytes->substr(0, SHA256_DIGEST_LENGTH) ||
      !snapshot.ParseFromString(content)) {
    Log(Cat("the kept snapshot ", options_.snapshot_file, " is damaged; waiting for a new one"));
    return false;
  }
  auto assignment = ToAssignment(snapshot);
  if (!assignment.ok()) {
    Log(Cat("the kept snapshot ", options_.snapshot_file,
            " cannot be used: ", MessageOf(assignment.status()), "; waiting for a new one"));
    return false;
  }
  director_.SetAssignment(*std::move(assignment), nullptr);
  return true;
}

void Agent::Start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "agent");
    Run();
  });
}

bool Agent::WaitFor(std::chrono::milliseconds time) {
  std::unique_lock hold(mutex_);
  return changed_.wait_for(hold, time, [this] { return stopping_; });
}

void Agent::Run() {
  std::chrono::milliseconds pause = kReconnectFirst;
  bool told = false;
  while (!WaitFor(std::chrono::milliseconds(0))) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kSnapshotBytesMax);
    // Each attempt on a channel of its own: a shared one would keep its own, longer back-off.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    auto channel = grpc::CreateCustomChannel(options_.control_plane,
                                             grpc::InsecureChannelCredentials(), arguments);
    const auto stub = v1::DataPlaneService::NewStub(channel);
    auto stream = std::make_shared<Stream>(*this);
    {
      const std::lock_guard hold(mutex_);
      if (stopping_) return;
      stream_ = stream;
    }
    const SteadyTime began = SystemClock().Steady();
    stream->Start(*stub);
    while (!stream->WaitUntilOver(kReportEvery)) ReportSoon();
    if (SystemClock().Steady() - began > std::chrono::seconds(1)) {
      pause = kReconnectFirst;
      told = false;
    }
    if (!told) {
      Log(Cat("no connection to the control plane: ", stream->status().error_message(),
              "; serving on with the last snapshot"));
      told = true;
    }
    if (WaitFor(pause)) return;
    pause = std::min(pause * 2, kReconnectLongest);
  }
}

void Agent::OnSnapshot(const v1::Snapshot& snapshot, const std::shared_ptr<Stream>& stream) {
  auto assignment = ToAssignment(snapshot);
  const uint64_t version = snapshot.version();
  if (!assignment.ok())
    return stream->SendAck(version, std::string(MessageOf(assignment.status())));
  const std::string content = snapshot.SerializeAsString();
  const absl::Status kept =
      WriteFileAtomically(options_.snapshot_file, Checksum(content) + content, 0600);
  if (!kept.ok()) Log(Cat("the snapshot could not be kept: ", MessageOf(kept)));
  director_.SetAssignment(*std::move(assignment), [this, version, stream] {
    stream->SendAck(version, "");
    stream->SendReport(NextReport());
  });
}

v1::BalancerReport Agent::NextReport() {
  director_.BeginReport(++sequence_);
  return MakeReport(director_, sequence_);
}

void Agent::ReportSoon() {
  loop_.Post([this] {
    std::shared_ptr<Stream> stream;
    {
      const std::lock_guard hold(mutex_);
      stream = stream_;
    }
    if (!stream || stream->over()) return;
    // Where it is not sent, what it is the last report for is told by the next one, too.
    director_.BeginReport(sequence_ + 1);
    v1::BalancerReport report = MakeReport(director_, 0);
    std::string content = report.SerializeAsString();
    if (content == last_report_ && stream.get() == last_stream_) return;
    last_report_ = std::move(content);
    last_stream_ = stream.get();
    report.set_sequence(++sequence_);
    stream->SendReport(std::move(report));
  });
}

void Agent::Finish() {
  std::shared_ptr<Stream> stream;
  {
    const std::lock_guard hold(mutex_);
    stream = stream_;
  }
  if (!stream || stream->over()) return;
  stream->SendReport(NextReport());
  const uint64_t last = sequence_;
  const SteadyTime deadline = SystemClock().Steady() + kFarewell;
  while (stream->acknowledged_report() < last && SystemClock().Steady() < deadline &&
         !stream->WaitUntilOver(std::chrono::milliseconds(10))) {
  }
}

}  // namespace gocomet::dataplane
