#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controlplane/model/access_token.h"

// The form of tokens: `gocomet_ID_SECRET`, 12 and 64 hex digits. The prefix lets scanners of
// sources and logs find a token that went astray.
namespace gocomet::controlplane {

struct TokenText {
  std::string_view id;
  std::string_view secret;
};

// Nothing where it is no token of this form.
std::optional<TokenText> ParseTokenText(std::string_view text);

std::string MakeTokenText(std::string_view id, std::string_view secret);

// What is kept of a token. A plain SHA-256 does, where a password would need a slow and salted
// hash: the secret is 256 random bits, so nobody can guess it, and no two tokens share one.
TokenHash HashToken(std::string_view text);

// In time that does not depend on where they differ, so that answers do not tell how much of a hash
// was right.
bool SameHash(const TokenHash& a, const TokenHash& b);

}  // namespace gocomet::controlplane
