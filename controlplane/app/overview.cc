#include "controlplane/app/overview.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kBannerWorkersMax = 10;
constexpr char kDefaultServer[] = "127.0.0.1:7070";  // Where gocometctl asks by itself.

// An address on which every address of this machine listens, as programs here reach it.
std::string FromHere(const std::string& address) {
  for (const auto& [every, one] :
       {std::pair("0.0.0.0:", "127.0.0.1:"), std::pair("[::]:", "[::1]:")}) {
    if (address.starts_with(every)) return Cat(one, address.substr(std::string_view(every).size()));
  }
  return address;
}

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

// The beginning that fits, never half a character.
std::string Fit(const std::string& text, size_t columns) {
  if (text.size() <= columns) return text;
  size_t end = columns;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

struct Row {
  std::string name, state, address, requests, failed, average, note;
};

struct Widths {
  size_t name = 0;
  size_t state = 0;
  size_t address = 0;
};

// Columns as wide as their content; the note has what is left of the line.
std::string Draw(const Row& row, const Widths& widths, const Screen& screen) {
  const std::string name = Column(row.name, widths.name);
  const std::string rest = Cat(Column(row.address, widths.address), Column(row.requests, 10),
                               Column(row.failed, 8), Column(row.average, 11), Printable(row.note));
  const std::string state = Column(row.state, widths.state);
  const size_t room = screen.columns > 0 ? screen.columns - 1 : 0;  // Else the cursor wraps.
  if (!screen.colours || room < name.size() + state.size()) {
    return Cat(Fit(Cat(name, state, rest), room), "\n");
  }
  return Cat(name, ColourOf(row.state), state, "\033[0m",
             Fit(rest, room - name.size() - state.size()), "\n");
}

std::string Plural(uint64_t count, const char* noun) {
  return Cat(count, " ", noun, count == 1 ? "" : "s");
}

std::vector<Row> RowsOf(const Overview& overview) {
  std::vector<Row> rows;
  for (const Overview::BalancerLine& b : overview.balancers) {
    rows.push_back({b.name, b.state, b.address, Cat(b.requests), "-", "-",
                    b.note.empty() ? Plural(b.connections, "connection") : b.note});
  }
  for (const Overview::WorkerLine& w : overview.workers) {
    rows.push_back({w.name, w.state, w.address, Cat(w.requests), Cat(w.failed),
                    w.requests == 0 ? "-" : Milliseconds(w.average_ms), w.note});
  }
  return rows;
}

}  // namespace

std::string Printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

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
  for (size_t i = 0; i < overview.workers.size(); ++i) {
    if (i == kBannerWorkersMax) {
      line("", Cat("and ", overview.workers.size() - i, " more: gocometctl get workers"));
      break;
    }
    const Overview::WorkerLine& worker = overview.workers[i];
    line("worker",
         Cat("http://", worker.address, "  ", worker.name, "  ", worker.id, "  ", worker.state));
  }
  line("gRPC",
       Cat(banner.grpc_address, banner.speaks_tls ? " (TLS)" : "",
           banner.is_insecure ? " (insecure: whoever reaches it controls everything)" : ""));
  line("HTTP", Cat(banner.speaks_tls ? "https://" : "http://", banner.http_address, "/readyz"));
  line("database", banner.database);
  line("state", banner.state_directory);
  text += "\n";
  if (!overview.balancers.empty()) {
    const std::string& address = overview.balancers.front().address;
    line("Try it", Cat("curl -i http://", address, "/api/v1/hello"));
    line("Numbers", Cat("curl -s http://", address, "/worker/stats"));
  }
  const std::string reached = FromHere(banner.grpc_address);
  const std::string server = reached == kDefaultServer ? "" : Cat(" --server ", reached);
  line("Look",
       Cat(banner.client, server, banner.speaks_tls ? " --tls-ca FILE" : "", " get workers"));
  text += "Ctrl-C drains and removes everything that was started.\n";
  return text;
}

std::string DrawLiveState(const Overview& overview, double requests_per_second,
                          const Screen& screen) {
  std::vector<Row> rows = RowsOf(overview);
  const size_t lines = std::max<size_t>(screen.rows / 2, 4);  // With head, rest and sum.
  const size_t all = rows.size();
  if (all > lines - 2) {
    std::stable_partition(rows.begin(), rows.end(),
                          [](const Row& r) { return r.state != "Ready"; });
    rows.resize(lines - 3);
  }
  const Row head{"NAME", "STATE", "ADDRESS", "REQUESTS", "FAILED", "AVERAGE", "NOTE"};
  rows.insert(rows.begin(), head);
  Widths widths;
  for (const Row& row : rows) {
    widths.name = std::max(widths.name, row.name.size() + 2);
    widths.state = std::max(widths.state, row.state.size() + 2);
    widths.address = std::max(widths.address, row.address.size() + 2);
  }
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) {
    Screen plain = screen;
    plain.colours = screen.colours && i > 0;
    text += Draw(rows[i], widths, plain);
  }
  const size_t room = screen.columns > 0 ? screen.columns - 1 : 0;
  if (all + 1 > rows.size()) {
    text +=
        Cat(Fit(Cat("and ", all + 1 - rows.size(), " more: gocometctl get workers"), room), "\n");
  }
  char rate[64];
  std::snprintf(rate, sizeof(rate), "%.0f requests/s", std::max(0.0, requests_per_second));
  return text +
         Fit(Cat(overview.stopping    ? "stopping"
                 : overview.converged ? "all ready"
                                      : "not all ready yet",
                 ", ", rate, ", ", overview.requests, " answered, ", overview.failed,
                 " of them failed"),
             room) +
         "\n";
}

}  // namespace gocomet::controlplane
