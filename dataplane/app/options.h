#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/address.h"
#include "dataplane/app/director.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/proxy/limits.h"

namespace gocomet::dataplane {

struct Options {
  Address listen;
  int threads = 1;
  ProxySettings proxy;
  std::chrono::milliseconds drain_timeout{30'000};
  std::optional<Address> handover;  // Where a predecessor is found, and a successor waited for.
  AccessLogSettings access_log;

  // Without a control plane: the only service, and how its workers are chosen.
  WantedService service;
  Algorithm algorithm = Algorithm::kRoundRobin;
  HashOn hash_on;

  // Under one; `control_plane` is empty without.
  std::string name;
  std::string control_plane;
  std::string token_file;
  std::string state_directory;
};

// Reads the command line. Where the program is to end at once (--help, --version, a mistake) it has
// printed what there is to say, and `exit_code` is set: 0, or 2 for a mistake.
Options ParseOptions(int argc, char** argv, std::optional<int>& exit_code);

}  // namespace gocomet::dataplane
