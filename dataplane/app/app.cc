#include "dataplane/app/app.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/base/text.h"
#include "dataplane/agent/agent.h"
#include "dataplane/app/director.h"
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

timeval ToTimeval(std::chrono::milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000),
          static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

class App {
 public:
  explicit App(const Options& options)
      : options_(options),
        director_(loop_, {.nothing_in_flight = [this] { Report(); },
                          .drained = [this] { End(0); },
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
    auto listeners = ListenAlone(options_.listen, options_.threads);
    if (!listeners.ok()) {
      Say(Cat("error: cannot listen on ", options_.listen.ToString(), ": ",
              MessageOf(listeners.status()),
              "; stop that program, or choose another port (`load-balancer-port`, --listen)"));
      return 1;
    }
    listeners_ = *std::move(listeners);
    director_.Start(options_.threads, options_.proxy);
    for (const int signal : {SIGINT, SIGTERM}) {
      signals_.push_back(evsignal_new(loop_.base(), signal, &App::OnSignal, this));
      event_add(signals_.back(), nullptr);
    }
    if (options_.control_plane.empty()) {
      director_.SetAssignment(options_.assignment, nullptr);
    } else if (!StartAgent()) {
      return 1;
    }
    loop_.Run();
    if (agent_ && exit_code_ == 0) agent_->Finish();
    agent_.reset();
    return exit_code_;
  }

 private:
  void Serve() {
    if (draining_ || std::exchange(serving_, true)) return;
    director_.AcceptFrom(std::move(listeners_));
    Say(Cat("listens on ", options_.listen.ToString()));
  }

  bool StartAgent() {
    const auto token = ReadFile(options_.token_file);
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
    agent_ = std::make_unique<Agent>(std::move(agent), director_, loop_);
    if (agent_->UseKeptSnapshot()) {
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
    if (app->draining_) return app->End(128 + static_cast<int>(signal));
    app->draining_ = true;
    app->director_.Drain(Shard::Waiting::kAccept);
    app->drain_timer_ = event_new(app->loop_.base(), -1, 0, &App::OnDrainOverdue, app);
    const timeval wait = ToTimeval(app->options_.drain_timeout);
    event_add(app->drain_timer_, &wait);
  }

  static void OnDrainOverdue(evutil_socket_t, short, void* self) {
    Say("some requests did not end in time and are cut off");
    static_cast<App*>(self)->End(0);
  }

  void End(int exit_code) {
    exit_code_ = exit_code;
    event_base_loopbreak(loop_.base());
  }

  const Options options_;
  EventLoop loop_;
  Director director_;
  std::vector<UniqueFd> listeners_;  // Until it serves.
  std::unique_ptr<Agent> agent_;
  std::vector<event*> signals_;
  event* drain_timer_ = nullptr;
  bool serving_ = false;
  bool draining_ = false;
  int exit_code_ = 0;
};

}  // namespace

int RunBalancer(const Options& options) { return App(options).Run(); }

}  // namespace gocomet::dataplane
