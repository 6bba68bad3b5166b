#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "common/base/unique_fd.h"
#include "controlplane/app/token_issuer.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/server.h"

// The real owner, database and gRPC server over many workers that are records in memory, and
// balancers that are one stream each: for measuring how the control plane scales.
namespace gocomet::controlplane {

inline constexpr uint32_t kServices = 1000;
inline constexpr uint32_t kReplicas = 10;
inline constexpr uint32_t kBalancers = 50;

// What runs, whoever looks at it: it outlives the control plane. Workers answer their probes.
class ScaleRuntime {
 public:
  explicit ScaleRuntime(std::string directory);
  ~ScaleRuntime();
  ScaleRuntime(const ScaleRuntime&) = delete;
  ScaleRuntime& operator=(const ScaleRuntime&) = delete;

  RuntimeDriver& driver();
  BalancerLauncher& launcher();

 private:
  class Driver;
  class Launcher;

  void AnswerProbes();

  std::vector<UniqueFd> listeners_;  // Each is the address of some of the workers.
  UniqueFd stop_;
  std::thread answering_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Launcher> launcher_;
};

// One life of the control plane. The database is in `directory`, and what it says is gone on with.
class ScaleControlPlane {
 public:
  ScaleControlPlane(const std::string& directory, ScaleRuntime& runtime);
  ~ScaleControlPlane();  // Everything goes on without it.
  ScaleControlPlane(const ScaleControlPlane&) = delete;
  ScaleControlPlane& operator=(const ScaleControlPlane&) = delete;

  Cluster& cluster() { return *cluster_; }
  const std::string& public_address() const { return public_address_; }
  std::string data_plane_address() const;
  std::string TokenOf(const std::string& balancer) const;

 private:
  const std::string directory_;
  TokenIssuer tokens_{"a secret of this benchmark"};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Cluster> cluster_;
  std::thread owner_;
  std::unique_ptr<RpcServer> server_;
  std::string public_address_;
};

// One balancer's stream, which acknowledges each snapshot. Its messages are not parsed but for the
// version: balancers have cores of their own to do that.
class ScaleBalancer {
 public:
  // `arrived(version)` is called on a thread of gRPC's when a snapshot has come whole.
  ScaleBalancer(const ScaleControlPlane& control_plane, const std::string& name,
                std::function<void(uint64_t)> arrived);
  ~ScaleBalancer();

 private:
  class Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace gocomet::controlplane
