#include "dataplane/app/app.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

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

class App {
 public:
  explicit App(const Options& options)
      : options_(options),
        director_(loop_,
                  {.nothing_in_flight = [this] { Report(); }, .drained = [this] { End(0); }}) {}

  ~App() {
    for (event* signal : signals_) event_free(signal);
    if (drain_timer_ != nullptr) event_free(drain_timer_);
  }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  int Run() {
    ::signal(SIGPIPE, SIG_IGN);
    RaiseDescriptorLimit();
    const absl::Status started = director_.Start(options_.listen, options_.threads, options_.proxy);
    if (!started.ok()) {
      Say(Cat("error: cannot listen on ", options_.listen.ToString(), ": ", MessageOf(started),
              "; stop that program, or choose another port (`load-balancer-port`, --listen)"));
      return 1;
    }
    for (const int signal : {SIGINT, SIGTERM}) {
      signals_.push_back(evsignal_new(loop_.base(), signal, &App::OnSignal, this));
      event_add(signals_.back(), nullptr);
    }
    if (options_.control_plane.empty()) {
      director_.SetAssignment(options_.assignment, nullptr);
    } else if (!StartAgent()) {
      return 1;
    }
    Say(Cat("listens on ", options_.listen.ToString()));
    loop_.Run();
    if (agent_ && exit_code_ == 0) agent_->Finish();
    agent_.reset();
    return exit_code_;
  }

 private:
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
    if (agent_->UseKeptSnapshot()) Say("serves the workers of its last snapshot");
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
    app->director_.Drain();
    app->drain_timer_ = event_new(app->loop_.base(), -1, 0, &App::OnDrainOverdue, app);
    const timeval wait{static_cast<time_t>(app->options_.drain_timeout.count() / 1000), 0};
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
  std::unique_ptr<Agent> agent_;
  std::vector<event*> signals_;
  event* drain_timer_ = nullptr;
  bool draining_ = false;
  int exit_code_ = 0;
};

}  // namespace

int RunBalancer(const Options& options) { return App(options).Run(); }

}  // namespace gocomet::dataplane
