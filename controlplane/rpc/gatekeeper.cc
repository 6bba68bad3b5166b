#include "controlplane/rpc/gatekeeper.h"

#include <utility>

#include <absl/strings/match.h>

#include "common/base/address.h"
#include "common/base/text.h"
#include "controlplane/access/certificate_subject.h"
#include "controlplane/access/role.h"
#include "controlplane/rpc/status.h"

namespace gocomet::controlplane {
namespace {

using grpc::StatusCode;

constexpr size_t kCertificatesMax = 256;
constexpr Rate kReportedDenials{.per_second = 0.2, .burst = 10};

// gRPC's names of peers, such as `ipv4:127.0.0.1:4711` and `ipv6:%5B::1%5D:4711`.
void ReadPeer(const std::string& peer, Caller& caller) {
  caller.connection = peer;
  std::string text = peer.substr(peer.find(':') + 1);
  for (const auto& [coded, plain] : {std::pair("%5B", "["), std::pair("%5D", "]")}) {
    const size_t found = text.find(coded);
    if (found != std::string::npos) text.replace(found, 3, plain);
  }
  const auto address = Address::Parse(text);
  caller.address = address.ok() ? address->host() : text;
  caller.is_local = address.ok() && address->is_loopback();
}

std::string Rounded(double per_second) { return std::to_string(static_cast<int>(per_second)); }

grpc::Status TooManyStreams(const Caller& caller, int most, std::string_view of) {
  return {StatusCode::RESOURCE_EXHAUSTED,
          Cat(caller.Describe(), " has all ", most, " streams open that one ", of,
              " may have; close one and call again")};
}

}  // namespace

Gatekeeper::Gatekeeper(AccessPolicy policy, AccessLimits limits, const Clock& clock)
    : policy_(std::move(policy)),
      limits_(limits),
      clock_(clock),
      tokens_(std::make_shared<const TokenBook>()),
      connections_(limits.calls_per_connection),
      clients_(limits.calls_per_client),
      denials_(kReportedDenials, clock.Steady()) {}

void Gatekeeper::SetTokens(TokenBook tokens) {
  tokens_.store(std::make_shared<const TokenBook>(std::move(tokens)));
}

bool Gatekeeper::Knows(const std::string& token_id) const {
  return tokens_.load()->FindById(token_id) != nullptr;
}

grpc::Status Gatekeeper::Recognize(const grpc::ServerContextBase& context, Caller& caller) {
  ReadPeer(context.peer(), caller);
  const auto header = context.client_metadata().find("authorization");
  if (header != context.client_metadata().end()) {
    return RecognizeToken({header->second.data(), header->second.size()}, caller);
  }
  if (policy_.takes_certificates) {
    const auto certificates = context.auth_context()->FindPropertyValues("x509_pem_cert");
    if (!certificates.empty()) {
      return RecognizeCertificate({certificates[0].data(), certificates[0].size()}, caller);
    }
  }
  caller.role = policy_.anonymous;
  if (caller.is_local) caller.role = std::max(caller.role, policy_.anonymous_local);
  return grpc::Status::OK;
}

grpc::Status Gatekeeper::RecognizeToken(std::string_view header, Caller& caller) const {
  // RFC 6750; the scheme's case does not count (RFC 9110, 11.1).
  constexpr absl::string_view kScheme = "Bearer ";
  const bool is_bearer = absl::StartsWithIgnoreCase({header.data(), header.size()}, kScheme);
  const std::string_view text = is_bearer ? header.substr(kScheme.size()) : std::string_view();
  auto token = tokens_.load()->Authenticate(text, clock_.Wall());
  if (!token.ok()) return ToGrpc(token.status());
  caller.kind = Caller::Kind::kToken;
  caller.role = token->role;
  caller.name = std::move(token->name);
  caller.token_id = std::move(token->id);
  return grpc::Status::OK;
}

grpc::Status Gatekeeper::RecognizeCertificate(const std::string& pem, Caller& caller) {
  Subject subject;
  {
    const std::lock_guard hold(mutex_);
    const auto found = certificates_.find(pem);
    if (found != certificates_.end()) {
      subject = found->second;
    } else {
      const auto read = ReadCertificateSubject(pem);
      if (!read.ok()) return ToGrpc(read.status());
      subject = {read->common_name, RoleOfOrganizations(read->organizations)};
      if (certificates_.size() >= kCertificatesMax) certificates_.clear();
      certificates_.emplace(pem, subject);
    }
  }
  caller.kind = Caller::Kind::kCertificate;
  caller.name = std::move(subject.name);
  caller.role = subject.role;
  return grpc::Status::OK;
}

grpc::Status Gatekeeper::Allow(const Caller& caller, const MethodRule& rule) const {
  if (caller.role >= rule.role) return grpc::Status::OK;
  const std::string needed = Cat(rule.method.substr(rule.method.find_last_of('.') + 1),
                                 " takes the role ", ToString(rule.role));
  if (caller.kind == Caller::Kind::kCertificate && caller.role == Role::kNobody) {
    return {StatusCode::PERMISSION_DENIED,
            Cat(needed, ", and ", caller.Describe(),
                " has none: have it issued with an organization (O) `gocomet:", ToString(rule.role),
                "`, or present a token")};
  }
  if (caller.kind != Caller::Kind::kAnonymous) {
    return {StatusCode::PERMISSION_DENIED,
            Cat(needed, ", and ", caller.Describe(), " is ",
                caller.role == Role::kViewer ? "a " : "an ", ToString(caller.role),
                "; ask an admin for a token with that role")};
  }
  std::string next =
      "present one as `authorization: Bearer TOKEN` (gocometctl: --token-file FILE or "
      "GOCOMET_TOKEN); an admin makes it with `gocometctl token create`";
  if (caller.is_local && !policy_.local_token_file.empty()) {
    next += Cat(". The admin's own is in ", policy_.local_token_file,
                ", for the user whom the control plane runs as");
  }
  return {StatusCode::UNAUTHENTICATED, Cat(needed, ", and the call came without a token: ", next)};
}

grpc::Status Gatekeeper::CountCall(const Caller& caller, std::chrono::milliseconds& retry_after) {
  const SteadyTime now = clock_.Steady();
  const auto refuse = [&](const Rate& rate, std::string_view of) -> grpc::Status {
    return {
        StatusCode::RESOURCE_EXHAUSTED,
        Cat(caller.Describe(), " makes more than the ", Rounded(rate.per_second),
            " calls a second that one ", of, " may; try again in ", retry_after.count(), " ms")};
  };
  if (const auto wait = connections_.TakeCall(caller.connection, now)) {
    retry_after = *wait;
    return refuse(limits_.calls_per_connection, "connection");
  }
  if (const auto wait = clients_.TakeCall(caller.Key(), now)) {
    retry_after = *wait;
    return refuse(limits_.calls_per_client, "client");
  }
  return grpc::Status::OK;
}

grpc::Status Gatekeeper::CountStream(const Caller& caller, bool is_reflection,
                                     std::shared_ptr<void>& places) {
  if (is_reflection) {
    const int most = limits_.reflections_per_client;
    places = clients_.TakeStream(Cat("reflection/", caller.Key()), most);
    return places ? grpc::Status::OK : TooManyStreams(caller, most, "client");
  }
  auto of_connection = connections_.TakeStream(caller.connection, limits_.streams_per_connection);
  if (!of_connection) return TooManyStreams(caller, limits_.streams_per_connection, "connection");
  auto of_client = clients_.TakeStream(caller.Key(), limits_.streams_per_client);
  if (!of_client) return TooManyStreams(caller, limits_.streams_per_client, "client");
  places = std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(
      std::move(of_connection), std::move(of_client));
  return grpc::Status::OK;
}

}  // namespace gocomet::controlplane
