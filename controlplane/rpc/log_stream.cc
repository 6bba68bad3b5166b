// WorkerService::StreamLogs: the lines of several workers, merged into one stream.
#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

#include "common/base/text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/lookup.h"
#include "controlplane/rpc/unary.h"
#include "controlplane/rpc/watch.h"
#include "controlplane/rpc/worker_service.h"

namespace gocomet::controlplane {
namespace {

constexpr int kDefaultTail = 100;

using Stream = std::shared_ptr<WatchStream<v1::LogLine>>;

// Ends the call when the last of its sources has ended. Any thread.
class OpenSources {
 public:
  explicit OpenSources(Stream stream) : stream_(std::move(stream)) {}

  void Add() {
    const std::lock_guard hold(mutex_);
    ++open_;
  }

  void Ended(const absl::Status& status) {
    const std::lock_guard hold(mutex_);
    if (problem_.ok() && !status.ok()) problem_ = ToGrpc(status);
    if (--open_ == 0) stream_->End(problem_);
  }

 private:
  const Stream stream_;
  std::mutex mutex_;  // Guards everything below.
  int open_ = 0;
  grpc::Status problem_;
};

v1::LogLine ToLogLine(const std::string& id, const std::string& name, const RuntimeLogLine& line) {
  v1::LogLine proto;
  proto.set_worker_id(id);
  proto.set_worker_name(name);
  if (line.time) *proto.mutable_time() = ToProto(*line.time);
  proto.set_stream(line.is_stderr ? v1::LogLine::STREAM_STDERR : v1::LogLine::STREAM_STDOUT);
  proto.set_text(ReplaceInvalidUtf8(line.text));
  return proto;
}

}  // namespace

grpc::ServerWriteReactor<v1::LogLine>* WorkerService::StreamLogs(
    grpc::CallbackServerContext* context, const v1::StreamLogsRequest* request) {
  const std::vector<std::string> wanted(request->workers().begin(), request->workers().end());
  absl::Status valid;
  if (request->tail() < -1) valid = InvalidField("tail", "must be -1, or 0 and above");
  if (wanted.size() > kWorkersMax) {
    valid = InvalidField("workers",
                         Cat("names ", wanted.size(), " workers; at most ", kWorkersMax, " exist"));
  }
  const int tail = request->tail() == 0 ? kDefaultTail : request->tail();
  const bool follow = request->follow();
  return Watch<v1::LogLine>(
      context, cluster_, streams_, valid,
      [this, wanted, tail, follow](const Stream& stream) -> std::function<void()> {
        std::vector<const Worker*> workers;
        for (size_t i = 0; i < wanted.size(); ++i) {
          const auto worker = FindWorker(cluster_, Cat("workers[", i, "]"), wanted[i]);
          if (!worker.ok()) {
            stream->End(ToGrpc(worker.status()));
            return [] {};
          }
          if (std::find(workers.begin(), workers.end(), *worker) == workers.end()) {
            workers.push_back(*worker);
          }
        }
        if (wanted.empty()) {
          for (const Worker& worker : cluster_.workers().workers()) workers.push_back(&worker);
        }
        auto sources = std::make_shared<OpenSources>(stream);
        sources->Add();  // This set-up itself, so that the call does not end before all are open.
        auto streams = std::make_shared<std::vector<std::unique_ptr<LogStream>>>();
        for (const Worker* worker : workers) {
          if (worker->handle.empty()) continue;
          sources->Add();
          auto source = driver_.Logs(
              worker->handle, tail, follow,
              [stream, id = worker->id, name = worker->name()](const RuntimeLogLine& line) {
                stream->Send(ToLogLine(id, name, line));
              },
              [sources](const absl::Status& status) { sources->Ended(status); });
          if (source.ok()) {
            streams->push_back(*std::move(source));
          } else {
            sources->Ended(source.status());
          }
        }
        sources->Ended(absl::OkStatus());
        return [streams] { streams->clear(); };
      });
}

}  // namespace gocomet::controlplane
