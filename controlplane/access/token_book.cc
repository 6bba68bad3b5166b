#include "controlplane/access/token_book.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "controlplane/access/token_text.h"

namespace gocomet::controlplane {

TokenBook::TokenBook(std::vector<AccessToken> tokens) {
  for (AccessToken& token : tokens) Put(std::move(token));
}

absl::StatusOr<AccessToken> TokenBook::Authenticate(std::string_view text, WallTime now) const {
  const auto parts = ParseTokenText(text);
  if (!parts) {
    return absl::UnauthenticatedError(
        "what was presented is no token for this address: expected `authorization: Bearer "
        "gocomet_…`, as `gocometctl token create` prints it");
  }
  const AccessToken* token = FindById(parts->id);
  // The same words for both, so that ids cannot be found out.
  if (token == nullptr || !SameHash(token->hash, HashToken(text))) {
    return absl::UnauthenticatedError(
        "the token that was presented does not exist here, or no longer: have an admin make one "
        "with `gocometctl token create`");
  }
  if (token->expire_time != WallTime{} && token->expire_time <= now) {
    return absl::UnauthenticatedError(
        Cat("the token '", token->name,
            "' has expired: have an admin make one with `gocometctl token create`"));
  }
  return *token;
}

std::vector<AccessToken> TokenBook::List() const {
  std::vector<AccessToken> tokens;
  for (const auto& [id, token] : by_id_) tokens.push_back(token);
  std::sort(tokens.begin(), tokens.end(),
            [](const AccessToken& a, const AccessToken& b) { return a.name < b.name; });
  return tokens;
}

const AccessToken* TokenBook::FindByName(std::string_view name) const {
  const auto found = std::find_if(by_id_.begin(), by_id_.end(),
                                  [&](const auto& entry) { return entry.second.name == name; });
  return found == by_id_.end() ? nullptr : &found->second;
}

const AccessToken* TokenBook::FindById(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

void TokenBook::Put(AccessToken token) {
  std::string id = token.id;
  by_id_[std::move(id)] = std::move(token);
}

void TokenBook::Remove(const std::string& id) { by_id_.erase(id); }

}  // namespace gocomet::controlplane
