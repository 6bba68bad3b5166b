#include "controlplane/runtime/sha256_hex.h"

#include <openssl/evp.h>

namespace gocomet::controlplane {

std::string Sha256Hex(std::string_view content) {
  unsigned char digest[EVP_MAX_MD_SIZE] = {};
  unsigned int bytes = 0;
  EVP_Digest(content.data(), content.size(), digest, &bytes, EVP_sha256(), nullptr);
  std::string text;
  for (unsigned int i = 0; i < bytes; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    text.append({kDigits[digest[i] >> 4], kDigits[digest[i] & 15]});
  }
  return text;
}

}  // namespace gocomet::controlplane
