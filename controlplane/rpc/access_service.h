#pragma once

#include <set>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "controlplane/access/token_book.h"
#include "controlplane/cluster/cluster.h"
#include "controlplane/rpc/gatekeeper.h"
#include "gocomet/v1/access.grpc.pb.h"

namespace gocomet::controlplane {

// The name of the token that the control plane makes for itself; nobody can take or delete it.
inline constexpr char kLocalAdmin[] = "local-admin";

// Makes and deletes tokens. What it acknowledges is durable.
class AccessService final : public v1::AccessService::CallbackService {
 public:
  AccessService(Cluster& cluster, Gatekeeper& gatekeeper, std::vector<AccessToken> tokens);

  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context,
                                   const v1::WhoAmIRequest* request,
                                   v1::WhoAmIResponse* response) override;
  grpc::ServerUnaryReactor* CreateToken(grpc::CallbackServerContext* context,
                                        const v1::CreateTokenRequest* request,
                                        v1::CreateTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListTokens(grpc::CallbackServerContext* context,
                                       const v1::ListTokensRequest* request,
                                       v1::ListTokensResponse* response) override;
  grpc::ServerUnaryReactor* DeleteToken(grpc::CallbackServerContext* context,
                                        const v1::DeleteTokenRequest* request,
                                        v1::DeleteTokenResponse* response) override;

 private:
  // OK where a token of that name may be made.
  absl::Status CheckFree(const std::string& name) const;
  absl::StatusOr<AccessToken> FindDeletable(const std::string& name) const;
  // Makes those tokens good that exist and are not being deleted.
  void LetIn();
  // Writes it, then runs `done` on the owner's thread.
  void Store(AccessTokenChange change, std::function<void(const absl::Status&)> done);

  Cluster& cluster_;
  Gatekeeper& gatekeeper_;

  // The owner's thread only.
  TokenBook book_;
  std::set<std::string> in_writing_;  // Names of tokens that are being made or deleted.
};

}  // namespace gocomet::controlplane
