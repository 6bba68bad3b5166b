#include "controlplane/rpc/caller.h"

#include "common/base/text.h"

namespace gocomet::controlplane {

std::string Caller::Key() const {
  switch (kind) {
    case Kind::kToken:
      return Cat("token/", name);
    case Kind::kCertificate:
      return Cat("certificate/", name);
    case Kind::kAnonymous:
      break;
  }
  return Cat("address/", address);
}

std::string Caller::Describe() const {
  switch (kind) {
    case Kind::kToken:
      return Cat("the token '", name, "'");
    case Kind::kCertificate:
      return Cat("the certificate of '", name, "'");
    case Kind::kAnonymous:
      break;
  }
  return Cat("a caller without a token at ", address);
}

std::string Caller::AuthorFor(std::string_view claimed) const {
  if (kind == Kind::kAnonymous) return claimed.empty() ? "unknown" : std::string(claimed);
  // An authority may give out names that tokens have, too.
  const std::string known = kind == Kind::kToken ? name : Key();
  return claimed.empty() || claimed == name ? known : Cat(known, " for ", claimed);
}

}  // namespace gocomet::controlplane
