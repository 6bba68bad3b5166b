#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "common/base/address.h"
#include "worker/behaviour.h"

namespace gocomet::worker {

struct Options {
  Address listen;
  std::optional<Address> unix_socket;
  std::string id;
  std::string instance;
  std::optional<Address> control_plane;
  std::string token;  // Empty without a control plane.
  Settings settings;
  uint64_t seed = 0;
};

// The version that --version prints.
const char* Version();

// Reads the command line and the token file. Where there is nothing to run, says why on stdout
// (--help, --version) or in one line on stderr, and gives the exit status: 0, 2 for usage errors, 1
// for a token file that cannot be used.
std::variant<Options, int> ReadOptions(int argc, char** argv);

}  // namespace gocomet::worker
