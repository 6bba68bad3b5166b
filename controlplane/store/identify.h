#pragma once

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>

namespace gocomet::controlplane {

// What a database file is, judged by its identity and tables.
struct FileIdentity {
  enum class Holds : uint8_t {
    kNothing,        // Missing, empty, or a database without tables.
    kGoComet,        // Ours, in format `version`.
    kAncestor,       // A table `worker_stats` of plain rows.
    kSomethingElse,  // Somebody else's.
  };
  Holds holds = Holds::kNothing;
  int64_t version = 0;
  std::string description;  // For people, of somebody else's: what was seen.
};

// Looks without changing a byte. `fd` is open on the file. DATA_LOSS: it is damaged.
// FAILED_PRECONDITION: it is no SQLite database.
absl::StatusOr<FileIdentity> IdentifyFile(const std::string& path, int fd);

}  // namespace gocomet::controlplane
