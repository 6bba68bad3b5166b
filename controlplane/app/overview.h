#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gocomet::controlplane {

// What the foreground shows: gathered on the owner's thread, drawn elsewhere.
struct Overview {
  struct WorkerLine {
    std::string name, id, state, address, note;
    uint64_t requests = 0;
    uint64_t failed = 0;
    double average_ms = 0;
  };
  struct BalancerLine {
    std::string name, state, address, note;
    uint64_t requests = 0;
    uint64_t connections = 0;
  };
  std::vector<WorkerLine> workers;
  std::vector<BalancerLine> balancers;
  uint64_t requests = 0;  // Answered by workers, ever.
  uint64_t failed = 0;
  bool converged = false;
  bool stopping = false;
};

// What does not change while it runs.
struct Banner {
  std::string version;
  std::string config;
  std::string runtime;
  std::string grpc_address;
  std::string http_address;
  bool speaks_tls = false;   // On both.
  bool is_insecure = false;  // Nobody is asked who they are.
  std::string database;
  std::string state_directory;
  std::string client;  // How to call gocometctl from here.
};

// What runs where, one thing per line; of many workers the first ones. Pure.
std::string DrawBanner(const Banner& banner, const Overview& overview);

struct Screen {
  size_t columns = 80;
  size_t rows = 24;
  bool colours = false;
};

// The present state: at most half of the rows, and no line that would wrap. Of many workers those
// first that are not ready. Pure.
std::string DrawLiveState(const Overview& overview, double requests_per_second,
                          const Screen& screen);

// `text` without what would command a terminal. Pure.
std::string Printable(std::string text);

}  // namespace gocomet::controlplane
