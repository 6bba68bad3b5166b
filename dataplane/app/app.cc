#include "dataplane/app/app.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/text.h"
#include "common/base/token_file.h"
#include "common/counters/counter_file.h"
#include "dataplane/agent/agent.h"
#include "dataplane/app/confinement.h"
#include "dataplane/app/counters.h"
#include "dataplane/app/director.h"
#include "dataplane/handover/channel.h"
#include "dataplane/handover/predecessor.h"
#include "dataplane/handover/successor.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/statistics_line.h"
#include "dataplane/shard/event_loop.h"

namespace gocomet::dataplane {
namespace {

void Say(const std::string& line) {
  const std::string text = Cat("gocomet-balancer: ", line, "\n");
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

// Each connection takes a descriptor, or two while it is busy.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Shorter than its predecessor's patience, so that it is this one which says what is missing.
constexpr std::chrono::seconds kFirstSnapshotPatience{10};
// Longer than TCP_DEFER_ACCEPT keeps a connection that sends nothing.
constexpr std::chrono::seconds kGivenUpPatience{3};

std::string DirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

timeval ToTimeval(std::chrono::milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000),
          static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

class App {
 public:
  explicit App(const Options& options)
      : options_(options),
        director_(loop_, {.nothing_in_flight = [this] { Report(); },
                          .drained = [this] { End(exit_code_); },
                          .first_adopted = [this] { Serve(); }}) {}

  ~App() {
    for (event* signal : signals_) event_free(signal);
    if (drain_timer_ != nullptr) event_free(drain_timer_);
  }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  int Run() {
    ::signal(SIGPIPE, SIG_IGN);
    RaiseDescriptorLimit();
    // Before anything is taken over that could be lost.
    if (!OpenAccessLog()) return 1;
    if (!GetSockets()) return 1;
    GoOnCounting();
    ConfineItself();
    director_.Start(options_.threads, options_.proxy);
    if (access_log_) access_log_->Start();
    OnSignals({SIGINT, SIGTERM}, &App::OnSignal);
    OnSignals({SIGUSR1}, &App::OnTell);
    if (access_log_) OnSignals({SIGHUP}, &App::OnReopen);
    if (options_.control_plane.empty()) {
      director_.SetAssignment(ToOneService(), nullptr);
    } else if (!StartAgent()) {
      return 1;
    }
    loop_.Run();
    if (agent_ && exit_code_ == 0) agent_->Finish();
    agent_.reset();
    return exit_code_;
  }

 private:
  // From the predecessor where there is one, else from the kernel.
  bool GetSockets() {
    if (!options_.handover) return Listen();
    auto inheritance = Inherit(*options_.handover, options_.listen);
    if (!inheritance.ok()) {
      Say(Cat("error: cannot take over from the balancer at ", options_.handover->ToString(), ": ",
              MessageOf(inheritance.status())));
      return false;
    }
    if (!*inheritance) return Listen() && OpenDoor();
    predecessor_pid_ = (*inheritance)->predecessor;
    door_ = std::move((*inheritance)->door);
    listeners_ = std::move((*inheritance)->own);
    covered_ = std::move((*inheritance)->covered);
    unwanted_ = std::move((*inheritance)->unwanted);
    // What cannot be had is found out while the predecessor serves.
    if (listeners_.empty() && !ReserveAddress()) return false;
    succession_ =
        std::make_unique<Succession>(loop_, std::move((*inheritance)->channel),
                                     [this](const absl::Status& status) { OnSuccession(status); });
    return true;
  }

  bool Listen() {
    auto listeners = ListenAlone(options_.listen, options_.threads);
    if (!listeners.ok()) return CannotListen(listeners.status());
    listeners_ = *std::move(listeners);
    return true;
  }

  bool ReserveAddress() {
    for (int i = 0; i < options_.threads; ++i) {
      auto reserved = Reserve(options_.listen);
      if (!reserved.ok()) return CannotListen(reserved.status());
      reserved_.push_back(*std::move(reserved));
    }
    return true;
  }

  bool CannotListen(const absl::Status& status) const {
    Say(Cat("error: cannot listen on ", options_.listen.ToString(), ": ", MessageOf(status),
            "; stop that program, or choose another port (`load-balancer-port`, --listen)"));
    return false;
  }

  bool OpenDoor() {
    auto door = OpenHandoverDoor(*options_.handover);
    if (!door.ok()) {
      Say(Cat("error: --handover: ", MessageOf(door.status())));
      return false;
    }
    door_ = *std::move(door);
    return true;
  }

  // A standalone balancer has nowhere to keep what it counts.
  void GoOnCounting() {
    incarnation_ = RandomIncarnation();
    if (options_.state_directory.empty()) return;
    auto opened = CounterFile::Open(options_.state_directory + "/counters");
    if (!opened.ok()) {
      return Say(
          Cat("warning: what it counts is lost if it is killed: ", MessageOf(opened.status())));
    }
    if (!opened->notice.empty()) Say(Cat("warning: ", opened->notice));
    incarnation_ = opened->file->incarnation();
    director_.CountIn(Counters(std::move(opened->file), Say));
  }

  void ConfineItself() const {
    Confinement confinement;
    if (!options_.state_directory.empty())
      confinement.own_directories.push_back(options_.state_directory);
    if (const std::string& log = options_.access_log.path; !log.empty() && log != "-")
      confinement.log_directories.push_back(DirectoryOf(log));
    if (options_.handover)
      confinement.socket_directories.push_back(DirectoryOf(options_.handover->host()));
    const absl::Status confined = Confine(confinement);
    if (!confined.ok())
      Say(Cat("warning: it keeps rights that it has no use for: ", MessageOf(confined)));
  }

  Assignment ToOneService() const {
    Route route;
    route.targets = {{options_.service.name}};
    route.algorithm = options_.algorithm;
    if (route.algorithm == Algorithm::kConsistentHash) route.hash_on = options_.hash_on;
    return {{options_.service}, {route}};
  }

  void Serve() {
    if (draining_ || std::exchange(serving_, true)) return;
    if (succession_) {
      const absl::Status announced = succession_->Announce();
      if (!announced.ok()) return OnSuccession(announced);
      GiveEachThreadAListener();
    }
    director_.AcceptFrom(std::move(listeners_));
    director_.AcceptFrom(std::move(covered_));
    AcceptForAWhile();
    Say(Cat("listens on ", options_.listen.ToString()));
    if (options_.handover && !succession_) AwaitSuccessor();
  }

  // Not before it serves, since the kernel spreads connections over all that listen. Of those that
  // it has got none is given up, whatever the number of threads: that would reset those who wait
  // there.
  void GiveEachThreadAListener() {
    for (UniqueFd& reserved : reserved_) {
      const absl::Status listens = ListenOn(reserved, options_.listen);
      if (listens.ok()) {
        listeners_.push_back(std::move(reserved));
      } else {
        Say(Cat("warning: ", MessageOf(listens)));
      }
    }
    reserved_.clear();
    while (listeners_.size() < static_cast<size_t>(options_.threads)) {
      auto listener = dataplane::Listen(options_.listen);
      if (!listener.ok()) {
        Say(Cat("warning: only ", listeners_.size(), " of ", options_.threads,
                " threads accept connections: ", MessageOf(listener.status())));
        return;
      }
      listeners_.push_back(*std::move(listener));
    }
  }

  // Who connects to an address that is given up meets its end only when no handshake that its
  // predecessor saw begin can still be under way.
  void AcceptForAWhile() {
    if (unwanted_.empty()) return;
    for (const UniqueFd& fd : unwanted_) given_up_.push_back(fd.get());
    director_.AcceptFrom(std::move(unwanted_));
    const timeval wait = ToTimeval(kGivenUpPatience);
    event_base_once(loop_.base(), -1, EV_TIMEOUT, &App::OnGivenUp, this, &wait);
  }

  static void OnGivenUp(evutil_socket_t, short, void* self) {
    auto* app = static_cast<App*>(self);
    if (!app->draining_) app->director_.StopAcceptingFrom(app->given_up_);
  }

  void OnSuccession(const absl::Status& status) {
    if (draining_) return;
    if (status.ok()) {
      Say(Cat("has taken over from process ", predecessor_pid_));
      return AwaitSuccessor();
    }
    Say(Cat("error: cannot take over from process ", predecessor_pid_, ": ", MessageOf(status)));
    exit_code_ = 1;
    Drain(Shard::Waiting::kAccept);
  }

  void AwaitSuccessor() {
    await_successor_ = std::make_unique<Predecessor>(
        loop_, std::move(door_), *options_.handover, options_.listen,
        Predecessor::Hooks{.listening = [this] { return director_.listening(); },
                           .succeeded =
                               [this](pid_t pid) {
                                 Say(Cat("process ", pid,
                                         " has taken over; finishes the requests it has"));
                                 Drain(Shard::Waiting::kLeaveToSuccessor);
                               },
                           .say = Say});
  }

  void Drain(Shard::Waiting waiting) {
    draining_ = true;
    director_.Drain(waiting);
    drain_timer_ = event_new(loop_.base(), -1, 0, &App::OnDrainOverdue, this);
    const timeval wait = ToTimeval(options_.drain_timeout);
    event_add(drain_timer_, &wait);
  }

  void OnSignals(std::initializer_list<int> signals, event_callback_fn call) {
    for (const int signal : signals) {
      signals_.push_back(evsignal_new(loop_.base(), signal, call, this));
      event_add(signals_.back(), nullptr);
    }
  }

  bool OpenAccessLog() {
    if (options_.access_log.path.empty()) return true;
    auto log = AccessLog::Open(options_.access_log, Say);
    if (!log.ok()) {
      Say(Cat("error: --access-log: ", MessageOf(log.status())));
      return false;
    }
    access_log_ = *std::move(log);
    director_.LogTo(*access_log_);
    return true;
  }

  bool StartAgent() {
    const auto token = ReadTokenFile(options_.token_file);
    if (!token.ok()) {
      Say(Cat("error: --token-file: ", MessageOf(token.status())));
      return false;
    }
    AgentOptions agent;
    agent.name = options_.name;
    agent.address = options_.listen.ToString();
    agent.control_plane = options_.control_plane;
    agent.token = *token;
    agent.snapshot_file = options_.state_directory + "/snapshot.binpb";
    agent.incarnation = incarnation_;
    agent_ = std::make_unique<Agent>(std::move(agent), director_, loop_);
    if (succession_) {
      // Who serves knows better than what was kept in an earlier life.
      Say("waits for its workers before it takes over");
      const timeval wait = ToTimeval(kFirstSnapshotPatience);
      event_base_once(loop_.base(), -1, EV_TIMEOUT, &App::OnNoSnapshot, this, &wait);
    } else if (agent_->UseKeptSnapshot()) {
      Say("serves the workers of its last snapshot");
    } else {
      Serve();  // It answers 503 until it learns of workers.
    }
    agent_->Start();
    return true;
  }

  void Report() {
    if (agent_) agent_->ReportSoon();
  }

  static void OnSignal(evutil_socket_t signal, short, void* self) {
    auto* app = static_cast<App*>(self);
    if (std::exchange(app->signalled_, true)) return app->End(128 + static_cast<int>(signal));
    if (app->draining_) return;  // It was replaced, and ends anyway.
    app->await_successor_.reset();
    app->Drain(Shard::Waiting::kAccept);
  }

  // What was counted, for who asks.
  static void OnTell(evutil_socket_t, short, void* self) {
    const auto* app = static_cast<const App*>(self);
    BalancerStatistics statistics{.connections = app->director_.connections(),
                                  .requests = app->director_.requests(),
                                  .own_answers = app->director_.own_answers(),
                                  .latencies = app->director_.latencies()};
    if (const AccessLog* log = app->access_log_.get()) {
      statistics.access_log = {.written = log->written(), .dropped = log->dropped()};
    }
    const std::string line = StatisticsLine(statistics, SystemClock().Wall().time_since_epoch());
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  }

  static void OnReopen(evutil_socket_t, short, void* self) {
    static_cast<App*>(self)->access_log_->Reopen();
  }

  static void OnNoSnapshot(evutil_socket_t, short, void* self) {
    auto* app = static_cast<App*>(self);
    if (app->serving_ || app->draining_) return;
    Say(Cat("error: the control plane named no workers within ", kFirstSnapshotPatience.count(),
            " s; process ", app->predecessor_pid_, " is not replaced and serves on"));
    app->End(1);
  }

  static void OnDrainOverdue(evutil_socket_t, short, void* self) {
    Say("some requests did not end in time and are cut off");
    auto* app = static_cast<App*>(self);
    app->End(app->exit_code_);
  }

  void End(int exit_code) {
    exit_code_ = exit_code;
    event_base_loopbreak(loop_.base());
  }

  const Options options_;
  EventLoop loop_;
  std::unique_ptr<AccessLog> access_log_;
  Director director_;
  // Until it serves; all but the first two only from a predecessor on another address.
  std::vector<UniqueFd> listeners_;
  std::vector<UniqueFd> covered_;
  std::vector<UniqueFd> reserved_;
  std::vector<UniqueFd> unwanted_;
  std::vector<int> given_up_;
  UniqueFd door_;             // Until it waits for a successor.
  uint64_t incarnation_ = 0;  // Of the counters.
  pid_t predecessor_pid_ = 0;
  std::unique_ptr<Succession> succession_;        // Where it replaces another balancer.
  std::unique_ptr<Predecessor> await_successor_;  // Where another may replace it.
  std::unique_ptr<Agent> agent_;
  std::vector<event*> signals_;
  event* drain_timer_ = nullptr;
  bool serving_ = false;
  bool draining_ = false;
  bool signalled_ = false;
  int exit_code_ = 0;
};

}  // namespace

int RunBalancer(const Options& options) { return App(options).Run(); }

}  // namespace gocomet::dataplane
