#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <absl/container/flat_hash_map.h>
#include <grpcpp/grpcpp.h>

#include "common/base/clock.h"
#include "controlplane/access/client_limits.h"
#include "controlplane/access/method_rules.h"
#include "controlplane/access/sparse_reports.h"
#include "controlplane/access/token_book.h"
#include "controlplane/cluster/subscribers.h"
#include "controlplane/rpc/caller.h"

namespace gocomet::controlplane {

// Whom a public address lets in without a token, and where those of this machine find one.
struct AccessPolicy {
  Role anonymous = Role::kNobody;        // Whoever it is, from wherever.
  Role anonymous_local = Role::kNobody;  // From this machine's loopback addresses.
  bool takes_certificates = false;
  std::string local_token_file;  // Absolute; empty: there is none.
};

// How much one client may ask for.
struct AccessLimits {
  Rate calls_per_connection{.per_second = 200, .burst = 400};
  Rate calls_per_client{.per_second = 500, .burst = 1000};
  int streams_per_connection = 64;
  int streams_per_client = 128;
  // Reflection keeps a thread busy for each.
  int reflections_per_client = 8;
};

// Decides for each call on the public address who makes it and whether it may. Any thread, but for
// what says otherwise; a decision costs a few microseconds.
class Gatekeeper {
 public:
  Gatekeeper(AccessPolicy policy, AccessLimits limits, const Clock& clock);

  const AccessPolicy& policy() const { return policy_; }

  // From the metadata and the connection of a call. UNAUTHENTICATED where what was presented is
  // wrong; `caller` then holds what is known all the same.
  grpc::Status Recognize(const grpc::ServerContextBase& context, Caller& caller);
  // PERMISSION_DENIED or UNAUTHENTICATED say which role the method takes and what to do next.
  grpc::Status Allow(const Caller& caller, const MethodRule& rule) const;
  // RESOURCE_EXHAUSTED says what the limit is and when to try again, in `retry_after` too.
  grpc::Status CountCall(const Caller& caller, std::chrono::milliseconds& retry_after);
  // `places` holds the stream's place for as long as it is open.
  grpc::Status CountStream(const Caller& caller, bool is_reflection, std::shared_ptr<void>& places);

  void SetTokens(TokenBook tokens);
  bool Knows(const std::string& token_id) const;

  // Told of the id of each token that is deleted. The cluster's thread only.
  Subscribers<std::string>& deleted_tokens() { return deleted_tokens_; }

  // Whether to report this denial; and how many were left out since the last one reported.
  std::optional<uint64_t> ReportDenial() { return denials_.Take(clock_.Steady()); }

 private:
  grpc::Status RecognizeToken(std::string_view header, Caller& caller) const;
  grpc::Status RecognizeCertificate(const std::string& pem, Caller& caller);

  const AccessPolicy policy_;
  const AccessLimits limits_;
  const Clock& clock_;
  std::atomic<std::shared_ptr<const TokenBook>> tokens_;
  ClientLimits connections_;
  ClientLimits clients_;
  SparseReports denials_;
  Subscribers<std::string> deleted_tokens_;

  struct Subject {
    std::string name;
    Role role = Role::kNobody;
  };
  std::mutex mutex_;  // Guards the one below.
  // Reading a certificate costs more than the rest of a call; clients use theirs again and again.
  absl::flat_hash_map<std::string, Subject> certificates_;
};

}  // namespace gocomet::controlplane
