#include "controlplane/runtime/process_logs.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::milliseconds;

constexpr size_t kStreamsMax = 64;
constexpr milliseconds kPollInterval{200};
constexpr uint64_t kFileBytesMax = 10 << 20;
constexpr uint64_t kFileBytesKept = 1 << 20;

LineSplitter::OnLine LinesTo(const std::shared_ptr<LogSubscription>& subscription, bool is_stderr) {
  return [subscription, is_stderr](std::string text) {
    subscription->Line(RuntimeLogLine{std::nullopt, is_stderr, std::move(text)});
  };
}

}  // namespace

ProcessLogs::ProcessLogs(TaskQueue& queue, std::function<bool(const std::string&)> is_running)
    : queue_(queue), is_running_(std::move(is_running)) {}

void ProcessLogs::Add(const Request& request) {
  std::erase_if(followed_, [](const Followed& log) { return log.request.subscription->ended(); });
  if (followed_.size() >= kStreamsMax) {
    return request.subscription->End(absl::ResourceExhaustedError(
        Cat("more than ", kStreamsMax, " log streams are open; end one and try again")));
  }
  auto log = Open(request);
  if (!log.ok()) return request.subscription->End(log.status());
  followed_.push_back(*std::move(log));
  if (!std::exchange(polls_, true)) Poll();
}

absl::StatusOr<ProcessLogs::Followed> ProcessLogs::Open(const Request& request) {
  int lines = 0;
  GOCOMET_ASSIGN_OR_RETURN(
      LogTail error, LogTail::Open(Cat(request.directory, "/", kStderrFile), request.tail, &lines));
  const int left = request.tail < 0 ? request.tail : std::max(request.tail - lines, 0);
  GOCOMET_ASSIGN_OR_RETURN(LogTail output,
                           LogTail::Open(Cat(request.directory, "/", kStdoutFile), left, &lines));
  return Followed{request, std::move(output), std::move(error)};
}

void ProcessLogs::Poll() {
  bool more = false;
  std::erase_if(followed_, [&](Followed& log) { return !Serve(log, &more); });
  polls_ = !followed_.empty();
  if (!polls_) return;
  queue_.PostIn(more ? milliseconds(0) : kPollInterval, [this] { Poll(); });
}

bool ProcessLogs::Serve(Followed& log, bool* more) {
  const auto& subscription = log.request.subscription;
  if (subscription->ended()) return false;
  // Asked first, so that nothing which it wrote before its end is missed.
  const bool goes_on = log.request.follow && is_running_(log.request.handle);
  const auto output = LinesTo(subscription, false);
  const auto error = LinesTo(subscription, true);
  if (!queue_.draining()) {
    if (log.output.Read(output) || log.error.Read(error)) {
      *more = true;
      return true;
    }
    if (goes_on) return true;
  }
  log.output.Flush(output);
  log.error.Flush(error);
  subscription->End(queue_.draining() ? absl::CancelledError("the control plane ends")
                                      : absl::OkStatus());
  return false;
}

void ProcessLogs::KeepShort(const std::string& handle, const std::string& directory) {
  CutFile(handle, Cat(directory, "/", kStdoutFile), &Followed::output);
  CutFile(handle, Cat(directory, "/", kStderrFile), &Followed::error);
}

void ProcessLogs::CutFile(const std::string& handle, const std::string& path,
                          LogTail Followed::*tail) {
  const auto cut = CutLogFile(path, kFileBytesMax, kFileBytesKept);
  if (!cut.ok() || *cut == 0) return;  // Tried again at the next round.
  for (Followed& log : followed_) {
    if (log.request.handle == handle) (log.*tail).OnCut(*cut);
  }
}

}  // namespace gocomet::controlplane
