#pragma once

#include "common/http/connection_options.h"
#include "common/http/framing.h"
#include "common/http/message.h"
#include "common/http/parse_head.h"
#include "common/http/target.h"

namespace gocomet::http {

// What a head that is well-formed means to a gateway, or why it is refused.
struct RequestMeaning {
  bool ok = true;
  Fault fault;  // Where it is not ok; the rest is then as far as it was read.
  TargetForm form = TargetForm::kOrigin;
  Framing framing;
  ConnectionOptions connection;
  bool persists = false;  // The client would send another request on the connection.
  bool upgrade = false;   // It asks for another protocol (RFC 9110, 7.8).
  bool trailers = false;  // It would see the answer's trailers (RFC 9110, 10.1.4).
};

// The rules beyond the grammar: one Host (RFC 9112, 3.2), a target that a gateway can serve, no
// CONNECT, known expectations, and one reading of where the body ends. Pure.
//
// `Upgrade: h2c` is not heard: a tunnel of many requests would pass by every rule here, and RFC
// 9113, 3.1 has given it up.
RequestMeaning UnderstandRequest(const RequestHead& head);

}  // namespace gocomet::http
