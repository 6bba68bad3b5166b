#pragma once

#include <string>
#include <string_view>

#include "controlplane/model/access_token.h"

namespace gocomet::controlplane {

// Whom the control plane takes a caller for.
struct Caller {
  enum class Kind : uint8_t { kAnonymous, kToken, kCertificate };
  Kind kind = Kind::kAnonymous;
  Role role = Role::kNobody;
  std::string name;        // Of the token, or the certificate's common name.
  std::string token_id;    // Of a token alone.
  std::string address;     // Without its port.
  std::string connection;  // With it.
  bool is_local = false;   // Its address is a loopback one.

  // `token/ci`, `certificate/ada`, `address/127.0.0.1`: what events are about, and whose calls are
  // counted together.
  std::string Key() const;
  // For messages: `the token 'ci'`.
  std::string Describe() const;
  // Who made a change: the name that is known, and whoever the request says it is for, as in `ci
  // for ada`; of callers without a name only what they say.
  std::string AuthorFor(std::string_view claimed) const;
};

}  // namespace gocomet::controlplane
