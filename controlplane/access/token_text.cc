#include "controlplane/access/token_text.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr std::string_view kPrefix = "gocomet_";
constexpr size_t kIdLength = 12;
constexpr size_t kSecretLength = 64;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<TokenText> ParseTokenText(std::string_view text) {
  if (text.size() != kPrefix.size() + kIdLength + 1 + kSecretLength) return std::nullopt;
  if (!text.starts_with(kPrefix) || text[kPrefix.size() + kIdLength] != '_') return std::nullopt;
  const TokenText parts{text.substr(kPrefix.size(), kIdLength),
                        text.substr(kPrefix.size() + kIdLength + 1)};
  if (!IsHex(parts.id) || !IsHex(parts.secret)) return std::nullopt;
  return parts;
}

std::string MakeTokenText(std::string_view id, std::string_view secret) {
  return Cat(kPrefix, id, "_", secret);
}

TokenHash HashToken(std::string_view text) {
  TokenHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  return hash;
}

bool SameHash(const TokenHash& a, const TokenHash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gocomet::controlplane
