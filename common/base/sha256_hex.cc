#include "common/base/sha256_hex.h"

#include <openssl/evp.h>

#include "common/base/hex.h"

namespace gocomet {

std::string Sha256Hex(std::string_view content) {
  unsigned char digest[EVP_MAX_MD_SIZE] = {};
  unsigned int bytes = 0;
  EVP_Digest(content.data(), content.size(), digest, &bytes, EVP_sha256(), nullptr);
  return ToHex(digest, bytes);
}

}  // namespace gocomet
