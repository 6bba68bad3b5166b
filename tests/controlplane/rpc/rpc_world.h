#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <absl/status/status.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "common/base/unique_fd.h"
#include "controlplane/app/token_issuer.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/server.h"
#include "gocomet/v1/access.grpc.pb.h"
#include "gocomet/v1/balancers.grpc.pb.h"
#include "gocomet/v1/cluster.grpc.pb.h"
#include "gocomet/v1/config.grpc.pb.h"
#include "gocomet/v1/errors.pb.h"
#include "gocomet/v1/events.grpc.pb.h"
#include "gocomet/v1/report.grpc.pb.h"
#include "gocomet/v1/rollouts.grpc.pb.h"
#include "gocomet/v1/statistics.grpc.pb.h"
#include "gocomet/v1/sync.grpc.pb.h"
#include "gocomet/v1/workers.grpc.pb.h"

namespace gocomet::controlplane {

// The real server over a real cluster, reached through real sockets. Beneath it nothing is real: a
// driver whose workers are records, balancers that are never started, a store that keeps nothing.
// Workers are worker-0, worker-1 and worker-2 with the ids abc000000000, abc000000001 and
// abc000000002, all of them ready.
class RpcWorld {
 public:
  explicit RpcWorld(std::chrono::milliseconds hello_patience = std::chrono::seconds(10));
  // Whoever has no token may do everything, unless `access` says otherwise.
  explicit RpcWorld(AccessPolicy access, AccessLimits limits = {},
                    std::vector<AccessToken> tokens = {}, TlsFiles tls = {});
  ~RpcWorld();
  RpcWorld(const RpcWorld&) = delete;
  RpcWorld& operator=(const RpcWorld&) = delete;

  // What people and scripts call.
  template <typename Service>
  std::unique_ptr<typename Service::Stub> Stub() const {
    return Service::NewStub(public_);
  }
  const std::shared_ptr<grpc::Channel>& channel() const { return public_; }
  const std::string& public_address() const { return public_address_; }
  // Further connections to the same address.
  std::shared_ptr<grpc::Channel> NewChannel() const;

  std::unique_ptr<v1::DataPlaneService::Stub> DataPlane() const;
  std::unique_ptr<v1::ReportService::Stub> Reports() const;
  // Good for that bearer alone: `balancer/balancer-0`, `worker/INSTANCE`.
  std::string Token(const std::string& bearer) const;
  // The instance that runs as this worker.
  std::string InstanceOf(const std::string& worker_name);

  // Runs `look` on the owner's thread and waits for it.
  void OnOwner(const std::function<void(Cluster&)>& look);

  // The lines that each worker has written.
  static std::vector<std::string> LogLines() { return {"one", "two", "three"}; }

 private:
  RpcWorld(std::chrono::milliseconds hello_patience, AccessPolicy access, AccessLimits limits,
           std::vector<AccessToken> tokens, TlsFiles tls);

  class FakeDriver;
  class FakeLauncher;
  class FakeStore;

  std::string directory_;
  UniqueFd probed_;  // Where every worker seems to listen.
  std::unique_ptr<FakeStore> store_;
  std::unique_ptr<FakeDriver> driver_;
  std::unique_ptr<FakeLauncher> launcher_;
  TokenIssuer tokens_{"a secret of this test"};
  std::unique_ptr<Cluster> cluster_;
  std::thread owner_;
  std::unique_ptr<RpcServer> server_;
  std::string public_address_;
  std::shared_ptr<grpc::Channel> public_;
};

// No test waits longer for an answer.
inline constexpr std::chrono::seconds kCallPatience{20};

// A context with that deadline.
struct Call : grpc::ClientContext {
  Call() { set_deadline(std::chrono::system_clock::now() + kCallPatience); }
};

// The fields that a status finds at fault.
std::vector<std::string> FieldsAtFault(const grpc::Status& status);

// A status with this code, whose Violations name this field and whose message says something.
MATCHER_P2(RefusedAt, code, field, "") {
  *result_listener << "code " << arg.error_code() << ", fields "
                   << ::testing::PrintToString(FieldsAtFault(arg)) << ", message '"
                   << arg.error_message() << "'";
  return arg.error_code() == code && !arg.error_message().empty() &&
         FieldsAtFault(arg) == std::vector<std::string>{field};
}

MATCHER_P(HasCode, code, "") {
  *result_listener << "code " << arg.error_code() << ", message '" << arg.error_message() << "'";
  return arg.error_code() == code;
}

}  // namespace gocomet::controlplane
