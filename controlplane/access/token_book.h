#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/clock.h"
#include "controlplane/model/access_token.h"

namespace gocomet::controlplane {

// The tokens that exist. A value: whoever changes it makes a copy, so that readers need no lock.
// Pure; holds no token, only hashes.
class TokenBook {
 public:
  explicit TokenBook(std::vector<AccessToken> tokens = {});

  // UNAUTHENTICATED says why: no token of ours, unknown or deleted, expired. The message never
  // holds what was presented.
  absl::StatusOr<AccessToken> Authenticate(std::string_view text, WallTime now) const;

  // In the order of their names.
  std::vector<AccessToken> List() const;
  // Null where there is none.
  const AccessToken* FindByName(std::string_view name) const;
  const AccessToken* FindById(std::string_view id) const;

  void Put(AccessToken token);
  void Remove(const std::string& id);

  static constexpr size_t kTokensMax = 1000;
  size_t size() const { return by_id_.size(); }

 private:
  std::map<std::string, AccessToken, std::less<>> by_id_;
};

}  // namespace gocomet::controlplane
