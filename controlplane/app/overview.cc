#include "controlplane/app/overview.h"

#include <algorithm>
#include <cstdio>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// Pads to a width, so that columns line up.
std::string Column(const std::string& text, size_t width) {
  return text.size() >= width ? text + " " : text + std::string(width - text.size(), ' ');
}

std::string Milliseconds(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f ms", value);
  return text;
}

const char* ColourOf(const std::string& state) {
  if (state == "Ready") return "\033[32m";
  if (state == "BackOff" || state == "Unhealthy") return "\033[31m";
  return "\033[33m";
}

std::string State(const std::string& state, bool colours) {
  const std::string padded = Column(state, 13);
  return colours ? Cat(ColourOf(state), padded, "\033[0m") : padded;
}

}  // namespace

std::string DrawBanner(const Banner& banner, const Overview& overview) {
  std::string text = Cat("GoComet ", banner.version, " runs.\n");
  const auto line = [&text](const char* key, const std::string& value) {
    text += Cat("  ", Column(key, 11), value, "\n");
  };
  line("config", banner.config);
  line("runtime", banner.runtime);
  for (const Overview::BalancerLine& balancer : overview.balancers) {
    line("balancer", Cat("http://", balancer.address, "  ", balancer.state));
  }
  for (const Overview::WorkerLine& worker : overview.workers) {
    line("worker",
         Cat("http://", worker.address, "  ", worker.name, "  ", worker.id, "  ", worker.state));
  }
  line("gRPC", banner.grpc_address);
  line("HTTP", Cat("http://", banner.http_address, "/readyz"));
  line("database", banner.database);
  line("state", banner.state_directory);
  if (!overview.balancers.empty()) {
    text +=
        Cat("\nTry it:    curl -i http://", overview.balancers.front().address, "/api/v1/hello\n");
    text +=
        Cat("Statistics: curl -s http://", overview.balancers.front().address, "/worker/stats\n");
  }
  text += "Ctrl-C drains and removes everything that was started.\n";
  return text;
}

std::string DrawLiveState(const Overview& overview, double requests_per_second, bool colours) {
  std::string text = Cat(Column("NAME", 13), Column("STATE", 13), Column("ADDRESS", 23),
                         Column("REQUESTS", 11), Column("FAILED", 9), "NOTE\n");
  for (const Overview::BalancerLine& b : overview.balancers) {
    text += Cat(Column(b.name, 13), State(b.state, colours), Column(b.address, 23),
                Column(Cat(b.requests), 11), Column("-", 9),
                b.note.empty() ? Cat(b.connections, " connections") : b.note, "\n");
  }
  for (const Overview::WorkerLine& w : overview.workers) {
    text += Cat(Column(w.name, 13), State(w.state, colours), Column(w.address, 23),
                Column(Cat(w.requests), 11), Column(Cat(w.failed), 9),
                w.note.empty() ? Cat("avg ", Milliseconds(w.average_ms)) : w.note, "\n");
  }
  char rate[64];
  std::snprintf(rate, sizeof(rate), "%.0f requests/s", std::max(0.0, requests_per_second));
  text +=
      Cat(overview.stopping    ? "stopping"
          : overview.converged ? "all ready"
                               : "converging",
          ", ", rate, ", ", overview.requests, " answered, ", overview.failed, " of them failed\n");
  return text;
}

}  // namespace gocomet::controlplane
