#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <iterator>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "worker/counters.h"
#include "worker/event_loop.h"
#include "worker/http_server.h"
#include "worker/listen_socket.h"
#include "worker/options.h"
#include "worker/report/reporter.h"
#include "worker/stats_desk.h"

namespace gocomet::worker {
namespace {

// How long /worker/stats waits for the control plane.
constexpr std::chrono::milliseconds kStatsPatience{500};
// How long the end waits for the last report's acknowledgement.
constexpr std::chrono::milliseconds kFinalReportPatience{2000};

// Calls a function at the first of the signals that end the program; the second ends it at once. As
// the first process of a container it has no default action to fall back on.
class EndSignals {
 public:
  EndSignals(const EventLoop& loop, std::function<void()> on_first)
      : on_first_(std::move(on_first)) {
    for (size_t i = 0; i < std::size(kSignals); ++i) {
      events_[i] = evsignal_new(
          loop.base(), kSignals[i],
          [](evutil_socket_t, short, void* self) { static_cast<EndSignals*>(self)->OnFirst(); },
          this);
      evsignal_add(events_[i], nullptr);
    }
  }
  ~EndSignals() {
    for (event* e : events_) event_free(e);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

 private:
  static constexpr int kSignals[] = {SIGTERM, SIGINT};

  void OnFirst() {
    for (event* e : events_) evsignal_del(e);
    struct sigaction end {};
    end.sa_handler = [](int signal) { ::_exit(128 + signal); };
    for (const int signal : kSignals) ::sigaction(signal, &end, nullptr);
    on_first_();
  }

  const std::function<void()> on_first_;
  event* events_[std::size(kSignals)] = {};
};

absl::StatusOr<std::string> ListenEverywhere(HttpServer& server, const Options& options) {
  GOCOMET_ASSIGN_OR_RETURN(const Address tcp, server.Listen(options.listen));
  std::string where = tcp.ToString();
  if (options.unix_socket) {
    GOCOMET_ASSIGN_OR_RETURN(const Address local, server.Listen(*options.unix_socket));
    where += Cat(" and ", local.ToString());
  }
  return where;
}

absl::Status Serve(const Options& options) {
  RaiseDescriptorLimit();
  ::signal(SIGPIPE, SIG_IGN);  // A client that is gone is seen at the write.
  GOCOMET_ASSIGN_OR_RETURN(const std::unique_ptr<EventLoop> loop, EventLoop::Create());

  Counters counters;
  std::unique_ptr<Reporter> reporter;  // None where it runs alone.
  StatsDesk stats(*loop, options.id, counters, SystemClock(), kStatsPatience,
                  [&reporter] { return reporter != nullptr && reporter->AskCluster(); });
  HttpServer server(*loop, options.id, options.seed, options.settings, counters, stats);
  GOCOMET_ASSIGN_OR_RETURN(const std::string where, ListenEverywhere(server, options));
  const EndSignals signals(*loop, [&] { server.Drain([&loop] { loop->Stop(); }); });

  if (options.control_plane) {
    reporter = std::make_unique<Reporter>(
        ReporterOptions{.control_plane = *options.control_plane,
                        .token = options.token,
                        .instance = options.instance,
                        .worker_id = options.id,
                        .version = Version()},
        counters,
        Reporter::Callbacks{.on_settings =
                                [&](const Settings& settings) {
                                  loop->Post([&server, settings] { server.Use(settings); });
                                },
                            .on_cluster =
                                [&](ClusterNumbers numbers) {
                                  loop->Post([&stats, numbers = std::move(numbers)]() mutable {
                                    stats.OnCluster(std::move(numbers));
                                  });
                                }});
  }
  std::printf("gocomet-worker %s: listens on %s\n", options.id.c_str(), where.c_str());
  std::fflush(stdout);

  loop->Run();
  if (reporter != nullptr && !reporter->Finish(kFinalReportPatience)) {
    std::fprintf(stderr, "gocomet-worker %s: the last report was not acknowledged\n",
                 options.id.c_str());
  }
  if (options.unix_socket) ::unlink(options.unix_socket->host().c_str());
  return absl::OkStatus();
}

}  // namespace
}  // namespace gocomet::worker

int main(int argc, char** argv) {
  using gocomet::worker::Options;
  const auto options = gocomet::worker::ReadOptions(argc, argv);
  if (const int* exit_status = std::get_if<int>(&options)) return *exit_status;
  const absl::Status served = gocomet::worker::Serve(std::get<Options>(options));
  if (served.ok()) return 0;
  std::fprintf(stderr, "gocomet-worker: %s\n", std::string(gocomet::MessageOf(served)).c_str());
  return 1;
}
