#include "dataplane/observe/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <climits>

#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::dataplane {
namespace {

constexpr char kStandardOutput[] = "-";
constexpr size_t kBatchBytes = size_t{64} * 1024;
// How long a line may wait; a ring that is half full does not wait for it.
constexpr std::chrono::milliseconds kPause{100};
constexpr std::chrono::seconds kFarewell{1};

void DrainWakeUps(int fd) {
  uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(fd, &rings, sizeof(rings));
}

uint64_t CountLines(std::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

void AccessLog::Lane::Tell(const AccessRecord& record) {
  const PackedRecord packed(record);
  if (!ring_.TryPush(packed.parts())) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (ring_.waiting() > ring_.capacity() / 2 && !log_.woken_.exchange(true)) log_.Wake();
}

absl::StatusOr<std::unique_ptr<AccessLog>> AccessLog::Open(AccessLogSettings settings,
                                                           Complain complain) {
  std::unique_ptr<AccessLog> log(new AccessLog(std::move(settings), std::move(complain)));
  GOCOMET_ASSIGN_OR_RETURN(log->file_, log->OpenFile());
  log->wake_fd_.Reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!log->wake_fd_.valid()) return absl::ErrnoToStatus(errno, "eventfd");
  return log;
}

AccessLog::AccessLog(AccessLogSettings settings, Complain complain)
    : settings_(std::move(settings)), complain_(std::move(complain)) {}

AccessLog::~AccessLog() {
  if (!thread_.joinable()) return;
  ending_.store(true);
  Wake();
  thread_.join();
}

AccessLog::Lane& AccessLog::AddLane() {
  lanes_.push_back(std::unique_ptr<Lane>(new Lane(*this)));
  return *lanes_.back();
}

void AccessLog::Start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "access-log");
    // All are the main loop's; and a reader that leaves is an error like any other.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    Run();
  });
}

void AccessLog::Reopen() {
  reopen_.store(true);
  Wake();
}

uint64_t AccessLog::dropped() const {
  uint64_t sum = lost_.load(std::memory_order_relaxed);
  for (const auto& lane : lanes_) sum += lane->dropped_.load(std::memory_order_relaxed);
  return sum;
}

void AccessLog::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_.get(), &one, sizeof(one));
}

// A file of another kind may have nobody who reads it; that must not keep us. A FIFO is opened for
// both, so that it needs no reader yet.
absl::StatusOr<UniqueFd> AccessLog::OpenFile() const {
  constexpr int kFlags = O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  if (settings_.path == kStandardOutput) {
    // Not to make the standard output itself one that does not block: others have it too.
    UniqueFd own(::open("/proc/self/fd/1", O_WRONLY | kFlags));
    if (!own.valid()) own.Reset(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!own.valid()) return absl::ErrnoToStatus(errno, "the standard output");
    return own;
  }
  struct stat file {};
  const bool is_fifo = ::stat(settings_.path.c_str(), &file) == 0 && S_ISFIFO(file.st_mode);
  UniqueFd fd(
      ::open(settings_.path.c_str(), (is_fifo ? O_RDWR : O_WRONLY | O_CREAT) | kFlags, 0640));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open ", settings_.path));
  return fd;
}

void AccessLog::OpenAgain() {
  if (settings_.path == kStandardOutput) return;
  absl::StatusOr<UniqueFd> file = OpenFile();
  if (!file.ok()) {
    complain_(Cat("access log: ", MessageOf(file.status()), "; goes on with the file it had"));
    return;
  }
  file_ = *std::move(file);
  mid_line_ = failing_ = false;
}

bool AccessLog::Overdue() {
  if (!ending_.load()) return false;
  const auto now = std::chrono::steady_clock::now();
  if (!give_up_) give_up_ = now + kFarewell;
  return now >= *give_up_;
}

void AccessLog::Run() {
  while (true) {
    // Asked first: what was told before is collected after.
    const bool ending = ending_.load();
    woken_.store(false);
    if (reopen_.exchange(false)) OpenAgain();
    const bool more = Collect();
    if (!batch_.empty()) WriteBatch();
    if (ending && !more) return;
    if (Overdue())
      return complain_("access log: it takes too long, and ends without its last lines");
    if (more) continue;
    pollfd wake{wake_fd_.get(), POLLIN, 0};
    if (::poll(&wake, 1, static_cast<int>(kPause.count())) > 0) DrainWakeUps(wake_fd_.get());
  }
}

bool AccessLog::Collect() {
  batch_.clear();
  batch_records_ = 0;
  if (mid_line_) batch_.push_back('\n');
  std::string packed;
  bool more = true;
  while (more && batch_.size() < kBatchBytes) {
    more = false;
    for (const auto& lane : lanes_) {
      if (!lane->ring_.Pop(packed)) continue;
      AppendAccessLine(PackedRecord::Unpack(packed), settings_.with_query, batch_);
      ++batch_records_;
      more = true;
    }
  }
  batch_reports_ = dropped() - dropped_reported_;
  if (batch_reports_ > 0) {
    AppendDroppedLine(SystemClock().Wall().time_since_epoch(), batch_reports_, batch_);
  } else if (batch_records_ == 0) {
    batch_.clear();
  }
  return more;
}

void AccessLog::WriteBatch() {
  const size_t bytes = WriteAsFarAsItGoes();
  const std::string_view written = std::string_view(batch_).substr(0, bytes);
  const bool whole = bytes == batch_.size();
  const uint64_t line_ends = CountLines(written) - (mid_line_ && bytes > 0 ? 1 : 0);
  // What tells of dropped lines comes last.
  const uint64_t records = std::min(line_ends, batch_records_);
  written_.fetch_add(records, std::memory_order_relaxed);
  lost_.fetch_add(batch_records_ - records, std::memory_order_relaxed);
  if (whole) {
    dropped_reported_ += batch_reports_;
    failing_ = false;
  }
  if (bytes > 0) mid_line_ = written.back() != '\n';
}

size_t AccessLog::WriteAsFarAsItGoes() {
  struct stat file {};
  const bool is_regular = ::fstat(file_.get(), &file) == 0 && S_ISREG(file.st_mode);
  // A pipe that says it can be written takes that much at once, even where it is one that blocks.
  const size_t at_once = is_regular ? SIZE_MAX : PIPE_BUF;
  size_t done = 0;
  while (done < batch_.size()) {
    if (!WaitUntilWritable()) return done;
    const ssize_t written =
        ::write(file_.get(), batch_.data() + done, std::min(at_once, batch_.size() - done));
    if (written > 0) {
      done += static_cast<size_t>(written);
    } else if (errno != EINTR && errno != EAGAIN) {
      Complained(errno);
      return done;
    }
  }
  return done;
}

// False where it is not worth waiting any longer.
bool AccessLog::WaitUntilWritable() {
  while (true) {
    pollfd fds[2] = {{file_.get(), POLLOUT, 0}, {wake_fd_.get(), POLLIN, 0}};
    // Without the second one at first: who wakes us does not keep us from writing.
    if (::poll(fds, 1, 0) > 0) return true;
    if (reopen_.load() || Overdue()) return false;
    ::poll(fds, 2, static_cast<int>(kPause.count()));
    if ((fds[1].revents & POLLIN) != 0) DrainWakeUps(wake_fd_.get());
  }
}

void AccessLog::Complained(int error) {
  if (std::exchange(failing_, true)) return;
  complain_(Cat("access log: cannot write to ", settings_.path, ": ", std::strerror(error),
                "; lines are dropped until it can be written again"));
}

}  // namespace gocomet::dataplane
