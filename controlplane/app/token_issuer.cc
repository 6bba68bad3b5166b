#include "controlplane/app/token_issuer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kSecretBytes = 32;

}  // namespace

absl::StatusOr<TokenIssuer> TokenIssuer::Open(const std::string& secret_file) {
  auto secret = ReadFile(secret_file);
  if (secret.ok() && secret->size() == kSecretBytes * 2) return TokenIssuer(*secret);
  if (!secret.ok() && !absl::IsNotFound(secret.status())) return secret.status();
  std::string fresh = RandomHex(kSecretBytes);
  GOCOMET_RETURN_IF_ERROR(WriteFileAtomically(secret_file, fresh, 0600));
  return TokenIssuer(std::move(fresh));
}

std::string TokenIssuer::Issue(std::string_view bearer) const {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(bearer.data()), bearer.size(), digest, &length);
  return ToHex(digest, length);
}

bool TokenIssuer::Accepts(std::string_view bearer, std::string_view token) const {
  const std::string expected = Issue(bearer);
  return token.size() == expected.size() &&
         CRYPTO_memcmp(token.data(), expected.data(), expected.size()) == 0;
}

}  // namespace gocomet::controlplane
