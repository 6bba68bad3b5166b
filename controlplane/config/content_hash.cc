#include <openssl/sha.h>

#include "common/base/text.h"
#include "controlplane/config/canonical_config.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {

std::string ContentHash(const Config& config) {
  // Lengths keep two different lists of fields from giving the same text.
  std::string canonical;
  for (const CanonicalField& field : CanonicalFields(config)) {
    canonical +=
        Cat(field.name.size(), ":", field.name, "=", field.value.size(), ":", field.value, "\n");
  }
  unsigned char digest[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(canonical.data()), canonical.size(), digest);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace gocomet::controlplane
