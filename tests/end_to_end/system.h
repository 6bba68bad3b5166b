#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>

#include "common/base/unique_fd.h"
#include "gocomet/v1/balancers.grpc.pb.h"
#include "gocomet/v1/cluster.grpc.pb.h"
#include "gocomet/v1/config.grpc.pb.h"
#include "gocomet/v1/events.grpc.pb.h"
#include "gocomet/v1/statistics.grpc.pb.h"
#include "gocomet/v1/workers.grpc.pb.h"
#include "tests/end_to_end/process.h"

namespace gocomet::testing {

// GoComet as its user runs it: real executables on a config file in a fresh directory, on ports
// that nobody else has. Its end stops and removes all that a test has left of it.
class System {
 public:
  explicit System(std::string runtime);
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  // The config is the seven keys; change a value before Start or WriteConfig.
  std::map<std::string, std::string> keys;
  // Lines of YAML below `control-plane:`, as far in as `grpc:` is.
  std::string control_plane_keys;
  // What the control plane finds in its environment beside the test's own.
  std::map<std::string, std::string> environment;
  void WriteConfig() const;
  std::string ConfigText() const;

  // Starts the control plane and waits until it says that all is ready.
  absl::Status Start(const std::vector<std::string>& arguments = {});
  // Starts it and waits for nothing.
  void Launch(const std::vector<std::string>& arguments = {});
  absl::Status WaitUntilReady(std::chrono::seconds timeout = std::chrono::seconds(40));
  void Signal(int signal) const;
  // Its exit status; nothing where it did not end in time.
  std::optional<int> WaitForExit(std::chrono::seconds timeout = std::chrono::seconds(40));
  void KillControlPlane();

  int pid() const { return pid_; }

  std::vector<uint16_t> balancer_ports() const;
  uint16_t first_worker_port() const { return static_cast<uint16_t>(base_ + 20); }
  std::string grpc_address() const;
  std::string http_address() const;
  uint16_t http_port() const { return static_cast<uint16_t>(base_ + 1); }
  const std::string& directory() const { return directory_; }
  std::string config_file() const { return directory_ + "/config.yaml"; }
  std::string database() const { return directory_ + "/worker-stats.db"; }
  std::string output() const;

  std::vector<v1::Worker> Workers() const;
  std::vector<v1::Balancer> Balancers() const;
  std::vector<v1::Event> Events() const;
  std::optional<v1::Statistics> Statistics() const;
  // Workers in READY, or 0 where nobody answers.
  size_t ReadyWorkers() const;
  // Exactly that many workers and all of them READY, within `timeout`.
  bool WaitForWorkers(size_t count, std::chrono::seconds timeout = std::chrono::seconds(60)) const;
  grpc::Status Apply(const std::string& config_yaml) const;
  grpc::Status Scale(uint32_t replicas) const;
  // As the user whom the control plane runs as.
  CommandResult Ctl(std::vector<std::string> arguments) const;
  // Calls are made over TLS from now on, and trust the authority of this PEM file.
  void SpeakTls(const std::string& authority_file);

  // Processes, containers, and sockets and files of the state directory that exist now, one line
  // each; but for the lock, the secret and the admin's token, which stay for the next start.
  std::vector<std::string> LeftOvers() const;
  const std::string& runtime() const { return runtime_; }

  std::string admin_token_file() const { return directory_ + "/.gocomet/admin-token"; }
  // Makes the call one of the local admin's, as the calls above are.
  void Authenticate(grpc::ClientContext& context) const;

  template <typename Stub>
  std::unique_ptr<typename Stub::Stub> NewStub() const {
    return Stub::NewStub(channel_);
  }

 private:
  void RemoveLeftOvers() const;
  void Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials);
  void Begin(grpc::ClientContext& context) const;

  const std::string runtime_;
  const UniqueFd reservation_;  // Keeps other tests away from the ports.
  const uint16_t base_;
  std::string directory_;
  std::string authority_file_;  // Empty: calls are made in the clear.
  int pid_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
};

// Why tests with this runtime cannot run here; empty where they can. Where the environment says
// GOCOMET_REQUIRE_DOCKER=1, a missing engine is for the test to fail on.
std::string WhyNot(const std::string& runtime);

}  // namespace gocomet::testing
