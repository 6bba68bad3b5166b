#include "common/probe/prober.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/base/address.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/unique_fd.h"

namespace gocomet {
namespace {

constexpr double kGoldenRatio = 0.618'034;
constexpr size_t kAnswerBytesMax = 4096;  // A status line is all that is needed.

timeval ToTimeval(std::chrono::microseconds duration) {
  return {static_cast<time_t>(duration.count() / 1'000'000),
          static_cast<suseconds_t>(duration.count() % 1'000'000)};
}

// The status code of `HTTP/1.x NNN …`, where the line is complete.
std::optional<int> StatusOf(std::string_view answer) {
  if (answer.size() < 13 || answer.find('\n') == std::string_view::npos) return std::nullopt;
  if (answer.substr(0, 7) != "HTTP/1." || answer[8] != ' ') return 0;
  int status = 0;
  for (const char digit : answer.substr(9, 3)) {
    if (digit < '0' || digit > '9') return 0;
    status = status * 10 + (digit - '0');
  }
  return status;
}

bool IsExpected(int status, const std::vector<StatusRange>& expected) {
  return std::any_of(expected.begin(), expected.end(), [status](const StatusRange& range) {
    return status >= range.first && status <= range.last;
  });
}

// The target is not to blame for these.
bool OwnLimitReached(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

}  // namespace

// Lives on its own thread; only SetTargets and Stop are called from others.
class Prober::Loop {
 public:
  explicit Loop(Result result) : result_(std::move(result)) {
    event_config* config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base_ = event_base_new_with_config(config);
    event_config_free(config);
    wake_fd_.Reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    wake_event_ = event_new(base_, wake_fd_.get(), EV_READ | EV_PERSIST, &Loop::OnWake, this);
    event_add(wake_event_, nullptr);
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "prober");
      event_base_dispatch(base_);
    });
  }

  ~Loop() {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    Ring();
    thread_.join();
    subjects_.clear();
    event_free(wake_event_);
    event_base_free(base_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void SetTargets(std::vector<ProbeTarget> targets) {
    {
      const std::lock_guard hold(mutex_);
      pending_ = std::move(targets);
    }
    Ring();
  }

 private:
  // One target, its timer and the probe under way.
  struct Subject {
    Subject(Loop& owner, ProbeTarget what) : loop(owner), target(std::move(what)) {
      timer = event_new(loop.base_, -1, 0, &Subject::OnTimer, this);
    }
    ~Subject() {
      EndConnection();
      event_free(timer);
    }
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    // The first wait is shorter, for each by another part: what was begun together would otherwise
    // be probed in one burst for ever.
    std::chrono::microseconds NextDelay() {
      const std::chrono::microseconds interval = target.interval;
      if (std::exchange(has_its_phase, true)) return interval;
      loop.phase_ = std::fmod(loop.phase_ + kGoldenRatio, 1.0);
      return std::chrono::duration_cast<std::chrono::microseconds>(interval *
                                                                   (0.5 + loop.phase_ / 2));
    }

    void ProbeIn(std::chrono::microseconds delay) {
      const timeval wait = ToTimeval(delay);
      event_add(timer, &wait);
    }

    void Begin() {
      started = std::chrono::steady_clock::now();
      started_wall = std::chrono::system_clock::now();
      answer.clear();
      connected = false;
      const auto address = Address::Parse(target.address);
      if (!address.ok()) return End(Failed(std::string(MessageOf(address.status()))));
      UniqueFd fd(::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (!fd.valid()) return CannotConnect(errno);
      if (::connect(fd.get(), address->socket_address(), address->socket_address_length()) != 0 &&
          errno != EINPROGRESS) {
        return CannotConnect(errno);
      }
      connection = bufferevent_socket_new(loop.base_, fd.Release(), BEV_OPT_CLOSE_ON_FREE);
      const timeval wait = ToTimeval(target.timeout);
      bufferevent_set_timeouts(connection, &wait, &wait);
      bufferevent_setcb(connection, &Subject::OnRead, nullptr, &Subject::OnEvent, this);
      bufferevent_enable(connection, EV_READ | EV_WRITE);
      // Without an address it waits for the connection that is already under way.
      bufferevent_socket_connect(connection, nullptr, 0);
    }

    static ProbeResult Failed(std::string result) {
      return {.passed = false, .result = std::move(result)};
    }

    void CannotConnect(int error) {
      if (OwnLimitReached(error)) {
        EndConnection();
        return ProbeIn(target.interval);
      }
      ProbeResult result = Failed(Cat("cannot connect: ", std::strerror(error)));
      // A Unix socket whose queue is full says EAGAIN where TCP would be silent.
      result.timed_out = error == EAGAIN || error == ETIMEDOUT;
      result.refused = !result.timed_out;
      End(std::move(result));
    }

    void EndConnection() {
      if (connection != nullptr) bufferevent_free(std::exchange(connection, nullptr));
    }

    void End(ProbeResult result) {
      EndConnection();
      result.time = started_wall;
      result.target = Cat(target.method, " ", target.address, target.path);
      result.duration = std::chrono::duration_cast<std::chrono::microseconds>(
          std::chrono::steady_clock::now() - started);
      ProbeIn(NextDelay());
      loop.result_(target.name, std::move(result));
    }

    static void OnTimer(evutil_socket_t, short, void* self) {
      auto* subject = static_cast<Subject*>(self);
      if (subject->connection == nullptr) subject->Begin();
    }

    static void OnRead(bufferevent* connection, void* self) {
      auto* subject = static_cast<Subject*>(self);
      char bytes[512];
      size_t got = 0;
      while ((got = bufferevent_read(connection, bytes, sizeof(bytes))) > 0) {
        subject->answer.append(bytes, got);
      }
      if (const auto status = StatusOf(subject->answer)) {
        if (*status == 0) return subject->End(Failed("the answer is not HTTP/1.1"));
        subject->End(
            {.passed = IsExpected(*status, subject->target.expected), .result = Cat(*status)});
      } else if (subject->answer.size() > kAnswerBytesMax) {
        subject->End(Failed("the answer has no status line"));
      }
    }

    static void OnEvent(bufferevent*, short what, void* self) {
      auto* subject = static_cast<Subject*>(self);
      if ((what & BEV_EVENT_CONNECTED) != 0) return subject->OnConnected();
      if ((what & BEV_EVENT_TIMEOUT) != 0) {
        ProbeResult result =
            Failed(Cat("no answer within ", subject->target.timeout.count(), " ms"));
        result.timed_out = true;
        return subject->End(std::move(result));
      }
      if (!subject->connected) return subject->CannotConnect(errno);
      subject->End(Failed((what & BEV_EVENT_EOF) != 0
                              ? std::string("closed the connection without an answer")
                              : Cat("broke the connection: ", std::strerror(errno))));
    }

    void OnConnected() {
      connected = true;
      if (target.path.empty()) return End({.passed = true, .result = "connected"});
      const bool is_unix = target.address.starts_with("unix:");
      const std::string request = Cat(target.method, " ", target.path,
                                      " HTTP/1.1\r\nHost: ", is_unix ? "localhost" : target.address,
                                      "\r\nUser-Agent: gocomet-probe\r\nConnection: close\r\n\r\n");
      bufferevent_write(connection, request.data(), request.size());
    }

    Loop& loop;
    ProbeTarget target;
    event* timer = nullptr;
    bufferevent* connection = nullptr;
    bool connected = false;
    bool has_its_phase = false;
    std::string answer;
    SteadyTime started{};
    WallTime started_wall{};
  };

  void Ring() const {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_.get(), &one, sizeof(one));
  }

  static void OnWake(evutil_socket_t fd, short, void* self) {
    uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd, &rings, sizeof(rings));
    static_cast<Loop*>(self)->Adopt();
  }

  void Adopt() {
    std::optional<std::vector<ProbeTarget>> targets;
    {
      const std::lock_guard hold(mutex_);
      targets.swap(pending_);
      if (stopping_) {
        event_base_loopbreak(base_);
        return;
      }
    }
    if (!targets) return;
    std::map<std::string, std::unique_ptr<Subject>> next;
    for (ProbeTarget& target : *targets) {
      const std::string name = target.name;
      const auto known = subjects_.find(name);
      if (known == subjects_.end()) {
        auto subject = std::make_unique<Subject>(*this, std::move(target));
        subject->ProbeIn(std::chrono::microseconds(0));
        next.emplace(name, std::move(subject));
        continue;
      }
      Subject& subject = *known->second;
      if (subject.target != target) {
        if (subject.target.interval != target.interval) subject.has_its_phase = false;
        subject.target = std::move(target);
        if (subject.connection == nullptr) subject.ProbeIn(subject.NextDelay());
      }
      next.insert(subjects_.extract(known));
    }
    subjects_ = std::move(next);
  }

  const Result result_;
  event_base* base_ = nullptr;
  event* wake_event_ = nullptr;
  UniqueFd wake_fd_;
  std::thread thread_;
  // The loop's thread only.
  std::map<std::string, std::unique_ptr<Subject>> subjects_;
  double phase_ = 0;  // 0 to 1; multiples of the golden ratio lie evenly however many there are.

  std::mutex mutex_;  // Guards everything below.
  std::optional<std::vector<ProbeTarget>> pending_;
  bool stopping_ = false;
};

Prober::Prober(Result result) : loop_(std::make_unique<Loop>(std::move(result))) {}
Prober::~Prober() = default;

void Prober::SetTargets(std::vector<ProbeTarget> targets) { loop_->SetTargets(std::move(targets)); }

}  // namespace gocomet
