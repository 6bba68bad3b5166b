#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "common/base/unique_fd.h"

namespace gocomet::controlplane {

// The directory where one control plane keeps its sockets, tokens and logs. Holding it means being
// the only control plane there: a second one is refused with the first one's process id.
class StateDirectory {
 public:
  // Makes what is missing (mode 0700) and takes the lock, which the kernel gives up when the
  // process ends, however it ends. FAILED_PRECONDITION where another control plane holds it.
  static absl::StatusOr<StateDirectory> Open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string secret_file() const { return path_ + "/secret"; }
  std::string admin_token_file() const { return path_ + "/admin-token"; }
  std::string tls_directory() const { return path_ + "/tls"; }
  std::string workers_directory() const { return path_ + "/workers"; }
  std::string balancers_directory() const { return path_ + "/balancers"; }
  std::string report_directory() const { return path_ + "/sockets/report"; }
  std::string report_socket() const { return report_directory() + "/report.sock"; }
  std::string data_plane_socket() const { return path_ + "/sockets/dataplane.sock"; }

  // Tells the clusters of one machine apart: six hex digits that follow from the path.
  std::string cluster_name() const;

 private:
  StateDirectory(std::string path, UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

}  // namespace gocomet::controlplane
