#include "controlplane/rpc/access_service.h"

#include <chrono>
#include <utility>

#include <google/protobuf/util/time_util.h>

#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/access/token_text.h"
#include "controlplane/model/field_error.h"
#include "controlplane/rpc/convert.h"
#include "controlplane/rpc/page.h"
#include "controlplane/rpc/request_checks.h"
#include "controlplane/rpc/unary.h"

namespace gocomet::controlplane {
namespace {

using std::chrono::seconds;

constexpr seconds kLifetimeMin{1};
constexpr seconds kLifetimeMax{std::chrono::hours(24 * 3650)};
constexpr size_t kIdBytes = 6;
constexpr size_t kSecretBytes = 32;

// Numbered alike; UNSPECIFIED is nobody.
v1::Role RoleOf(Role role) { return static_cast<v1::Role>(role); }

absl::StatusOr<Role> FromProto(v1::Role role) {
  if (role != v1::ROLE_UNSPECIFIED && v1::Role_IsValid(role)) return static_cast<Role>(role);
  return InvalidField("role", "must be ROLE_VIEWER, ROLE_OPERATOR or ROLE_ADMIN");
}

v1::Token Describe(const AccessToken& token) {
  v1::Token proto;
  proto.set_id(token.id);
  proto.set_name(token.name);
  proto.set_role(RoleOf(token.role));
  *proto.mutable_create_time() = ToProto(token.create_time);
  if (token.expire_time != WallTime{}) *proto.mutable_expire_time() = ToProto(token.expire_time);
  proto.set_author(token.author);
  return proto;
}

absl::StatusOr<WallTime> ExpireTime(const v1::CreateTokenRequest& request, WallTime now) {
  if (!request.has_lifetime()) return WallTime{};
  const seconds lifetime(request.lifetime().seconds());
  if (lifetime < kLifetimeMin || lifetime > kLifetimeMax) {
    return InvalidField("lifetime", Cat("must be 1 s to 10 years (", kLifetimeMax.count(),
                                        " s), or unset for ever"));
  }
  return now + lifetime;
}

struct NewToken {
  AccessToken token;
  std::string text;
};

absl::StatusOr<NewToken> Make(const v1::CreateTokenRequest& request, const std::string& author,
                              WallTime now) {
  NewToken made;
  GOCOMET_RETURN_IF_ERROR(CheckLabel("name", "token", request.name()));
  GOCOMET_RETURN_IF_ERROR(CheckLine("author", request.author(), kAuthorMax));
  GOCOMET_ASSIGN_OR_RETURN(made.token.role, FromProto(request.role()));
  GOCOMET_ASSIGN_OR_RETURN(made.token.expire_time, ExpireTime(request, now));
  made.token.id = RandomHex(kIdBytes);
  made.token.name = request.name();
  made.token.create_time = now;
  made.token.author = author;
  made.text = MakeTokenText(made.token.id, RandomHex(kSecretBytes));
  made.token.hash = HashToken(made.text);
  return made;
}

}  // namespace

AccessService::AccessService(Cluster& cluster, Gatekeeper& gatekeeper,
                             std::vector<AccessToken> tokens)
    : cluster_(cluster), gatekeeper_(gatekeeper), book_(std::move(tokens)) {
  LetIn();
}

void AccessService::LetIn() {
  TokenBook good = book_;
  for (const std::string& name : in_writing_) {
    if (const AccessToken* token = good.FindByName(name)) good.Remove(std::string(token->id));
  }
  gatekeeper_.SetTokens(std::move(good));
}

grpc::ServerUnaryReactor* AccessService::WhoAmI(grpc::CallbackServerContext* context,
                                                const v1::WhoAmIRequest*,
                                                v1::WhoAmIResponse* response) {
  const Caller& caller = Of(context).caller;
  response->set_role(RoleOf(caller.role));
  response->set_name(caller.name);
  if (caller.is_local) response->set_local_token_file(gatekeeper_.policy().local_token_file);
  return AnswerNow(context, grpc::Status::OK);
}

absl::Status AccessService::CheckFree(const std::string& name) const {
  if (book_.FindByName(name) != nullptr || in_writing_.contains(name)) {
    return AtField("name", absl::AlreadyExistsError(
                               Cat("there is a token '", name,
                                   "' already; choose another name, or delete it first")));
  }
  if (book_.size() + in_writing_.size() < TokenBook::kTokensMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      Cat("there are ", TokenBook::kTokensMax, " tokens, and no more fit: delete some"));
}

absl::StatusOr<AccessToken> AccessService::FindDeletable(const std::string& name) const {
  GOCOMET_RETURN_IF_ERROR(CheckLabel("name", "token", name));
  if (name == kLocalAdmin) {
    return AtField(
        "name",
        absl::FailedPreconditionError(Cat(
            "the token '", kLocalAdmin, "' is the control plane's own: to have a new one, delete ",
            gatekeeper_.policy().local_token_file, " and start the control plane again")));
  }
  const AccessToken* token = book_.FindByName(name);
  if (token != nullptr && !in_writing_.contains(name)) return *token;
  return AtField("name", absl::NotFoundError(Cat("there is no token '", name,
                                                 "'; `gocometctl token list` lists them")));
}

void AccessService::Store(AccessTokenChange change, std::function<void(const absl::Status&)> done) {
  StoreWrite write;
  write.access_tokens.push_back(std::move(change));
  write.at_once = true;
  write.done = [&cluster = cluster_, done = std::move(done)](const absl::Status& status) {
    cluster.mailbox().Post([done, status] { done(status); });
  };
  cluster_.store().Write(std::move(write));
}

grpc::ServerUnaryReactor* AccessService::CreateToken(grpc::CallbackServerContext* context,
                                                     const v1::CreateTokenRequest* request,
                                                     v1::CreateTokenResponse* response) {
  return AnswerLater(
      cluster_, context,
      [this, request, response,
       author = AuthorOf(context, request->author())](const std::shared_ptr<Reply>& reply) {
        const auto made = Make(*request, author, cluster_.clock().Wall());
        if (!made.ok()) return reply->Finish(ToGrpc(made.status()));
        const absl::Status free = CheckFree(request->name());
        if (!free.ok()) return reply->Finish(ToGrpc(free));
        in_writing_.insert(made->token.name);
        Store({made->token}, [this, response, reply, made = *made](const absl::Status& stored) {
          in_writing_.erase(made.token.name);
          if (!stored.ok()) return reply->Finish(ToGrpc(stored));
          book_.Put(made.token);
          LetIn();
          *response->mutable_token() = Describe(made.token);
          response->set_secret(made.text);
          reply->Finish(grpc::Status::OK);
        });
      });
}

grpc::ServerUnaryReactor* AccessService::ListTokens(grpc::CallbackServerContext* context,
                                                    const v1::ListTokensRequest* request,
                                                    v1::ListTokensResponse* response) {
  return Answer(cluster_, context, [this, request, response]() -> absl::Status {
    GOCOMET_ASSIGN_OR_RETURN(
        const Page page, Page::Parse("tokens", "", request->page_size(), request->page_token()));
    response->set_next_page_token(page.Fill(
        book_.List(), [](const AccessToken& token) { return ListPlace{token.name}; },
        [response](const AccessToken& token) {
          v1::Token* into = response->add_tokens();
          *into = Describe(token);
          return into->ByteSizeLong();
        }));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AccessService::DeleteToken(grpc::CallbackServerContext* context,
                                                     const v1::DeleteTokenRequest* request,
                                                     v1::DeleteTokenResponse* response) {
  return AnswerLater(
      cluster_, context, [this, request, response](const std::shared_ptr<Reply>& reply) {
        const absl::Status valid = CheckLine("author", request->author(), kAuthorMax);
        if (!valid.ok()) return reply->Finish(ToGrpc(valid));
        const auto token = FindDeletable(request->name());
        if (!token.ok()) return reply->Finish(ToGrpc(token.status()));
        in_writing_.insert(token->name);
        // Nobody waits for the disk to keep somebody out. Whoever deletes the token that they came
        // with still gets the answer: it is streams that end.
        LetIn();
        gatekeeper_.deleted_tokens().Publish(token->id);
        Store({*token, true}, [this, response, reply, token = *token](const absl::Status& stored) {
          in_writing_.erase(token.name);
          if (stored.ok()) {
            book_.Remove(token.id);
            *response->mutable_token() = Describe(token);
          }
          LetIn();
          reply->Finish(ToGrpc(stored));
        });
      });
}

}  // namespace gocomet::controlplane
