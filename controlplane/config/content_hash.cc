#include "common/base/sha256_hex.h"
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
  return Sha256Hex(canonical);
}

}  // namespace gocomet::controlplane
