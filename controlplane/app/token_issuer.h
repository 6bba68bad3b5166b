#pragma once

#include <string>
#include <string_view>

#include <absl/status/statusor.h>

namespace gocomet::controlplane {

// Tokens for workers and balancers: each is derived from one secret and the bearer's name, so that
// none needs to be stored and all survive a restart. A token is good for its bearer alone.
class TokenIssuer {
 public:
  // Reads the secret from the file, or makes it (mode 0600).
  static absl::StatusOr<TokenIssuer> Open(const std::string& secret_file);
  explicit TokenIssuer(std::string secret) : secret_(std::move(secret)) {}

  // `bearer` is `worker/INSTANCE` or `balancer/NAME`. HMAC-SHA-256 (RFC 2104) in hex.
  std::string Issue(std::string_view bearer) const;
  // In time that does not depend on where they differ.
  bool Accepts(std::string_view bearer, std::string_view token) const;

 private:
  std::string secret_;
};

}  // namespace gocomet::controlplane
